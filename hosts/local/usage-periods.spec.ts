import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UsagePeriods } from './usage-periods.js';

const began = Date.parse('2026-02-03T04:05:06.000Z');

describe('the last minute of an instance', () => {
  it('tells the highest memory and the CPU rate of each period', () => {
    const periods = new UsagePeriods(began);
    for (const bytes of [10, 70, 30]) periods.noteMemory(bytes);
    periods.close(began + 1000, 0.25);
    periods.noteMemory(20);
    periods.close(began + 3000, 1.25);
    expect(periods.closed).toEqual([
      {
        from: '2026-02-03T04:05:06.000Z',
        to: '2026-02-03T04:05:07.000Z',
        memoryBytes: 70,
        cpuMillicores: 250,
      },
      {
        from: '2026-02-03T04:05:07.000Z',
        to: '2026-02-03T04:05:09.000Z',
        memoryBytes: 20,
        cpuMillicores: 500,
      },
    ]);
  });

  it('says nothing of a period in which nothing was seen, nor of one without length', () => {
    const periods = new UsagePeriods(began);
    periods.close(began + 1000, 1);
    periods.noteMemory(5);
    periods.close(began + 1000, 1);
    expect(periods.closed).toEqual([]);
    periods.close(began + 2000, 1);
    expect(periods.closed).toMatchObject([{ memoryBytes: 5, cpuMillicores: 0 }]);
  });

  it('keeps the newest sixty, in order and without overlaps, and loses no CPU time between them', () => {
    const step = fc.record({ ms: fc.integer({ min: 1, max: 5000 }), ticks: fc.nat(500) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 150 }), (steps) => {
        const periods = new UsagePeriods(began);
        let [nowMs, ticks] = [began, 0];
        for (const one of steps) {
          [nowMs, ticks] = [nowMs + one.ms, ticks + one.ticks];
          periods.noteMemory(1);
          periods.close(nowMs, ticks / 100);
        }
        const { closed } = periods;
        expect(closed).toHaveLength(Math.min(60, steps.length));
        expect(closed.at(-1)!.to).toBe(new Date(nowMs).toISOString());
        for (const [index, { from, to, cpuMillicores }] of closed.entries()) {
          const { ms, ticks: used } = steps[steps.length - closed.length + index]!;
          expect(Date.parse(to) - Date.parse(from)).toBe(ms);
          expect(Math.abs(cpuMillicores - (used * 10_000) / ms)).toBeLessThanOrEqual(0.501);
          if (index > 0) expect(from).toBe(closed[index - 1]!.to);
        }
      }),
    );
  });
});
