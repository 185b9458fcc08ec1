import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type LogQuery, PodLog, readLogQuery } from './pod-log.js';

const whole: LogQuery = {
  follow: false,
  timestamps: false,
  tailLines: null,
  limitBytes: null,
  sinceTime: null,
};
const never = new AbortController().signal;

async function textOf(log: PodLog, query: Partial<LogQuery> = {}, signal = never): Promise<string> {
  let text = '';
  for await (const piece of log.read({ ...whole, ...query }, signal)) text += piece;
  return text;
}

const second = (count: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, count)).toISOString();

function logOf(lines: readonly string[]): PodLog {
  const log = new PodLog();
  for (const [index, line] of lines.entries()) log.append([line], second(index));
  return log;
}

describe('the log of a container', () => {
  it('is its last lines, whatever they are', async () => {
    const lines = fc.array(fc.string().map((text) => text.replaceAll('\n', ' ')));
    await fc.assert(
      fc.asyncProperty(lines, fc.nat(20), async (written, tailLines) => {
        const expected = tailLines === 0 ? [] : written.slice(-tailLines);
        expect(await textOf(logOf(written), { tailLines })).toBe(
          expected.map((line) => `${line}\n`).join(''),
        );
      }),
    );
  });

  it('never gives more bytes than asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string()), fc.nat(50), async (written, limitBytes) => {
        const log = logOf(written);
        const all = await textOf(log);
        const limited = await textOf(log, { limitBytes });
        expect(all.startsWith(limited.replace(/\uFFFD+$/, ''))).toBe(true);
        expect(limited.replace(/\uFFFD+$/, '').length).toBeLessThanOrEqual(limitBytes);
      }),
    );
  });

  it('begins at a time, and says times where they are asked for', async () => {
    const log = logOf(['one', 'two', 'three']);
    expect(await textOf(log, { sinceTime: second(1), timestamps: true })).toBe(
      `${second(1)} two\n${second(2)} three\n`,
    );
  });

  it('is followed until its container ends', async () => {
    const log = logOf(['before']);
    const followed = textOf(log, { follow: true });
    await new Promise((settle) => setImmediate(settle));
    log.append(['during']);
    await new Promise((settle) => setImmediate(settle));
    log.append(['last']);
    log.end();
    expect(await followed).toBe('before\nduring\nlast\n');
  });

  it('is let go by whoever follows it no longer', async () => {
    const aborter = new AbortController();
    const followed = textOf(logOf(['before']), { follow: true }, aborter.signal);
    await new Promise((settle) => setImmediate(settle));
    aborter.abort();
    expect(await followed).toBe('before\n');
  });

  it('is asked for in the words of the API server', () => {
    const query = new URLSearchParams('follow=true&timestamps=true&tailLines=3&limitBytes=9&sinceSeconds=60');
    expect(readLogQuery(query, Date.UTC(2026, 0, 1, 0, 1))).toEqual({
      follow: true,
      timestamps: true,
      tailLines: 3,
      limitBytes: 9,
      sinceTime: '2026-01-01T00:00:00.000Z',
    });
  });
});
