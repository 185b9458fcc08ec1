import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type FollowOptions, HostUnavailableError } from '../../hosts/model-host.js';
import { type Followed, followOn } from './follow-on.js';

const start = Date.parse('2026-01-01T00:00:00Z');
const lineAt = (ms: number, words: string) => `${new Date(start + ms).toISOString()} ${words}`;
const forever = new AbortController().signal;

/** The log of an instance that is over once its host has given all of it. */
const ended = (reader: Followed['reader']): Followed => ({ reader, isOver: async () => true });

/** A host with a log, whose connections break after so many lines each. */
function hostThatBreaks(log: readonly string[], breaks: readonly number[]) {
  const asked: FollowOptions[] = [];
  return {
    asked,
    async *followLogs(_: string, __: AbortSignal, options: FollowOptions = {}) {
      const after = breaks[asked.length];
      asked.push(options);
      const { since, tailLines } = options;
      const wanted = log.filter(
        (line) => since === undefined || Date.parse(line.slice(0, line.indexOf(' '))) >= Date.parse(since),
      );
      const lines = tailLines === undefined ? wanted : wanted.slice(-tailLines);
      for (const [index, line] of lines.entries()) {
        if (index === after) throw new HostUnavailableError('the connection broke');
        yield line;
      }
    },
  };
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

describe('a log that is followed', () => {
  it('gives every line once through breaks, also those of one moment and those that are alike', async () => {
    const log = fc
      .array(fc.record({ ms: fc.nat(3), words: fc.constantFrom('a', 'b') }), { maxLength: 12 })
      .map((lines) =>
        lines.toSorted((one, other) => one.ms - other.ms).map(({ ms, words }) => lineAt(ms, words)),
      );
    await fc.assert(
      fc.asyncProperty(log, fc.array(fc.nat(6), { maxLength: 2 }), async (lines, breaks) => {
        const host = hostThatBreaks(lines, breaks);
        expect(await collect(followOn(ended(host), 'i', {}, forever))).toEqual(lines);
      }),
      { numRuns: 15 },
    );
  });

  it('begins where it was asked to, and after a break behind the last line', async () => {
    const lines = [0, 10, 20, 30].map((ms) => lineAt(ms, 'said'));
    const host = hostThatBreaks(lines, [1]);
    expect(await collect(followOn(ended(host), 'i', { tail: 3 }, forever))).toEqual(lines.slice(1));
    expect(host.asked).toEqual([{ tailLines: 3 }, { since: '2026-01-01T00:00:00.010Z' }]);
  });

  it('is given up with the host’s words when the host stays away', async () => {
    let tries = 0;
    const host = {
      // oxlint-disable-next-line require-yield -- it never has a line to give
      async *followLogs() {
        tries += 1;
        throw new HostUnavailableError('nobody answers');
      },
    };
    await expect(collect(followOn(ended(host), 'i', {}, forever, 250))).rejects.toThrow('nobody answers');
    expect(tries).toBeGreaterThan(1);
  });

  it('is left at once by who goes while the host is away', async () => {
    const leaving = new AbortController();
    const host = {
      // oxlint-disable-next-line require-yield -- it never has a line to give
      async *followLogs() {
        setTimeout(() => leaving.abort(), 5);
        throw new HostUnavailableError('nobody answers');
      },
    };
    const beganAt = performance.now();
    expect(await collect(followOn(ended(host), 'i', {}, leaving.signal))).toEqual([]);
    expect(performance.now() - beganAt).toBeLessThan(1_000);
  });

  it('goes on when the host ends it while the instance lives, each time behind the last line', async () => {
    const lines = [0, 10, 20].map((ms) => lineAt(ms, 'said'));
    let asked = 0;
    const reader = {
      async *followLogs(_: string, __: AbortSignal, { since }: FollowOptions = {}) {
        asked += 1;
        yield* lines.slice(0, asked).filter((line) => since === undefined || line >= since.slice(0, 23));
      },
    };
    const followed = followOn({ reader, isOver: async () => asked === lines.length }, 'i', {}, forever);
    expect(await collect(followed)).toEqual(lines);
  });

  it('ends with the host when that goes on saying that nothing more comes', async () => {
    const host = hostThatBreaks([lineAt(0, 'said')], []);
    const followed = followOn({ reader: host, isOver: async () => false }, 'i', {}, forever, 250);
    expect(await collect(followed)).toEqual([lineAt(0, 'said')]);
    expect(host.asked.length).toBeGreaterThan(1);
    expect(host.asked.length).toBeLessThan(6);
  });
});
