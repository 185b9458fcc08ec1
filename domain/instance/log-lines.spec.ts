import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chooseLines, linesOf, linesWithin, sharedWindow } from './log-lines.js';

const start = Date.parse('2026-01-01T00:00:00Z');
const stampOf = (second: number) => new Date(start + second * 1000).toISOString();
const logOf = (seconds: readonly number[]) =>
  seconds.map((second) => `${stampOf(second)} said at ${second}\n`).join('');

describe('lines of a log', () => {
  it('are those of the window, with the rest of texts that have several lines', () => {
    const log = `${logOf([1, 2])}  at some.function\n${logOf([3, 4])}`;
    expect(linesWithin(log, { since: stampOf(2), until: stampOf(3) })).toEqual([
      `${stampOf(2)} said at 2`,
      '  at some.function',
      `${stampOf(3)} said at 3`,
    ]);
    expect(linesWithin(log, { since: stampOf(4), until: null })).toEqual([`${stampOf(4)} said at 4`]);
  });

  it('take the times of clusters too, which are finer', () => {
    const log = '2026-01-01T00:00:02.123456789Z finer\n';
    expect(linesWithin(log, { since: stampOf(2), until: stampOf(3) })).toEqual(linesOf(log));
    expect(linesWithin(log, { since: stampOf(3), until: null })).toEqual([]);
  });

  it('fall into windows side by side without one lost or told twice', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100)), fc.nat(100), (given, cut) => {
        const seconds = given.toSorted((left, right) => left - right);
        const log = logOf(seconds);
        const before = linesWithin(log, { since: stampOf(0), until: stampOf(cut) });
        const after = linesWithin(log, { since: stampOf(cut + 1), until: null });
        expect([...before, ...after]).toEqual(linesOf(log));
      }),
    );
  });

  it('of no window are all lines, those before the first time too', () => {
    const log = `no time yet\n${logOf([1])}`;
    expect(linesWithin(log, { since: null, until: null })).toEqual(linesOf(log));
    expect(linesWithin(log, { since: null, until: stampOf(0) })).toEqual(['no time yet']);
  });

  it('of the window that two share are those that both have', () => {
    const time = fc.option(fc.nat(20).map(stampOf));
    const window = fc.record({ since: time, until: time });
    const log = logOf(Array.from({ length: 21 }, (_, second) => second));
    fc.assert(
      fc.property(window, window, (one, other) => {
        const inOther = new Set(linesWithin(log, other));
        const inBoth = linesWithin(log, one).filter((line) => inOther.has(line));
        expect(linesWithin(log, sharedWindow(one, other))).toEqual(inBoth);
      }),
    );
  });

  it('are chosen from their end, or else from their beginning', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.nat(20), (lines, count) => {
        expect(chooseLines(lines, { tail: count, head: 1 })).toEqual(count === 0 ? [] : lines.slice(-count));
        expect(chooseLines(lines, { head: count })).toEqual(lines.slice(0, count));
        expect(chooseLines(lines, {})).toEqual(lines);
      }),
    );
  });
});
