import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { InstanceLog, readInstanceLog } from './instance-log.js';

const CAP_BYTES = 100_000;

describe('the log of an instance', () => {
  let folder = '';
  const warnings: string[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hub-log-'));
    warnings.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Feeds the chunks through a log and gives the lines it kept, without their times. */
  async function keep(chunks: readonly Buffer[]): Promise<string[]> {
    const inner = mkdtempSync(join(folder, 'one-'));
    const log = new InstanceLog(inner, CAP_BYTES, (text) => warnings.push(text));
    const stream = new PassThrough();
    log.take(stream);
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
    await finished(stream);
    log.end();
    const lines = (readInstanceLog(inner) ?? '').split('\n').slice(0, -1);
    return lines.map((line) => line.replace(/^\S+ ?/, ''));
  }

  it('keeps every line whole, wherever the chunks are cut, inside a character too', async () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 8 }), fc.nat(), async (lines, cut) => {
        const bytes = Buffer.from(`${lines.join('\n')}\n`);
        const at = cut % bytes.length;
        expect(await keep([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(lines);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the first or the last lines of a log, and all when none are counted', () => {
    writeFileSync(join(folder, 'log'), 'a\nb\nc\n');
    expect(readInstanceLog(folder, { headLines: 2 })).toBe('a\nb\n');
    expect(readInstanceLog(folder, { tailLines: 2, headLines: 1 })).toBe('b\nc\n');
    expect(readInstanceLog(folder, { headLines: 9 })).toBe('a\nb\nc\n');
    expect(readInstanceLog(folder)).toBe('a\nb\nc\n');
  });

  it('keeps a last line without an end, and breaks one that is too long', async () => {
    expect(await keep([Buffer.from('one\r\ntwo')])).toEqual(['one', 'two']);
    const pieces = await keep([Buffer.alloc(20_000, 'x')]);
    expect(pieces.join('')).toBe('x'.repeat(20_000));
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(8192);
  });

  it('drops the oldest lines at the cap and keeps at least almost half of it', async () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `line ${index}`);
    const kept = await keep([Buffer.from(`${lines.join('\n')}\n`)]);
    expect(kept).toEqual(lines.slice(-kept.length));
    const bytes = kept.join('\n').length + kept.length * 26;
    expect(bytes).toBeLessThanOrEqual(CAP_BYTES);
    expect(bytes).toBeGreaterThan(CAP_BYTES * 0.45);
  });

  it.each([
    ['all', {}, '12345'],
    ['from a time on, that time included', { since: '2026-01-01T00:00:03.000Z' }, '345'],
    ['up to a time, whatever its zone', { until: '2026-01-01T02:00:02+02:00' }, '12'],
    ['a window', { since: '2026-01-01T00:00:02Z', until: '2026-01-01T00:00:04Z' }, '234'],
    ['the last of a window', { until: '2026-01-01T00:00:04Z', tailLines: 2 }, '34'],
    ['more than there is', { tailLines: 50 }, '12345'],
    ['none', { tailLines: 0 }, ''],
  ])('gives %s', (_sentence, options, expected) => {
    const lines = [1, 2, 3, 4, 5].map((second) => `2026-01-01T00:00:0${second}.000Z ${second}\n`);
    writeFileSync(join(folder, 'log'), lines.join(''));
    const text = readInstanceLog(folder, options) ?? '';
    expect(
      text
        .split('\n')
        .map((line) => line.slice(25))
        .join(''),
    ).toBe(expected);
  });

  it('is null where nothing was ever logged', () => {
    expect(readInstanceLog(folder)).toBeNull();
  });
});
