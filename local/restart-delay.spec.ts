import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { restartDelayMs } from './restart-delay.js';

describe('the delay before a restart', () => {
  it.each([
    [1, 0],
    [2, 250],
    [3, 500],
    [4, 1000],
    [5, 2000],
    [6, 4000],
    [7, 5000],
    [1000, 5000],
  ])('after %i deaths in a row is %i ms', (deaths, delayMs) => {
    expect(restartDelayMs(deaths)).toBe(delayMs);
  });

  it('never shrinks with more deaths and never passes 5 s', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (deaths) => {
        expect(restartDelayMs(deaths)).toBeLessThanOrEqual(5000);
        expect(restartDelayMs(deaths + 1)).toBeGreaterThanOrEqual(restartDelayMs(deaths));
      }),
    );
  });
});
