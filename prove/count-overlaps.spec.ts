import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { longestPause, mostAtOnce } from './count-overlaps.js';

describe('how many hold at once', () => {
  it('counts one that ends in the moment another starts as gone', () => {
    expect(mostAtOnce([span(0, 5), span(5, 9)])).toBe(1);
    expect(mostAtOnce([span(0, 6), span(5, 9)])).toBe(2);
  });

  it('counts one that never ended as there', () => {
    expect(mostAtOnce([span(0, null), span(5, 6), span(7, 8)])).toBe(2);
  });

  it('is what looking at every start finds', () => {
    const spans = fc.array(
      fc
        .tuple(fc.nat(50), fc.integer({ min: 1, max: 20 }))
        .map(([start, length]) => span(start, start + length)),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(spans, (all) => {
        const atStarts = all.map(
          ({ start }) => all.filter((other) => other.start <= start && other.end! > start).length,
        );
        expect(mostAtOnce(all)).toBe(Math.max(0, ...atStarts));
      }),
    );
  });
});

describe('the longest pause', () => {
  it('is the time between two who were served while the second waited', () => {
    expect(longestPause([wait(0, 2), wait(0, 9)])).toBe(7);
  });

  it('does not count time in which nobody waited', () => {
    expect(longestPause([wait(0, 2), wait(100, 103)])).toBe(3);
  });

  it('of one who was passed over is counted from the last who was served', () => {
    expect(longestPause([wait(0, 20), wait(1, 5), wait(2, 10)])).toBe(10);
  });
});

function span(start: number, end: number | null) {
  return { start, end };
}

function wait(start: number, end: number) {
  return { start, end };
}
