import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { periodsOf } from './usage-periods.js';

const began = Date.parse('2026-02-03T04:05:06.000Z');
const at = (second: number) => new Date(began + second * 1000).toISOString();
const periodsUpTo = (second: number, kept: number) =>
  Array.from({ length: Math.min(kept, second) }, (_, index) => {
    const to = second - Math.min(kept, second) + index + 1;
    return { from: at(to - 1), to: at(to), memoryBytes: to, cpuMillicores: 0 };
  });
const reading = (second: number, kept = 60) => ({
  sampledAt: at(second),
  memoryBytes: 7,
  cpuMillicores: 3,
  recentPeriods: periodsUpTo(second, kept),
});

describe('the periods of a reading', () => {
  it('are the sample itself, as a moment, where the host knows no more', () => {
    const sample = { sampledAt: at(15), memoryBytes: 7, cpuMillicores: 3 };
    const moment = { from: at(15), to: at(15), memoryBytes: 7, cpuMillicores: 3 };
    expect(periodsOf(sample, null)).toEqual([{ ...moment, isNew: true }]);
    expect(periodsOf(sample, at(0))).toEqual([{ ...moment, isNew: true }]);
    expect(periodsOf(sample, at(15))).toEqual([{ ...moment, isNew: false }]);
  });

  it('are new once each, however often and however far apart the host is read', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 30 }), (pauses) => {
        let second = 0;
        let last: string | null = null;
        const counted: string[] = [];
        for (const pause of pauses) {
          second += pause;
          const one = reading(second);
          counted.push(
            ...periodsOf(one, last)
              .filter(({ isNew }) => isNew)
              .map(({ to }) => to),
          );
          last = one.sampledAt;
        }
        expect(counted).toEqual(periodsUpTo(second, Infinity).map(({ to }) => to));
      }),
    );
  });
});
