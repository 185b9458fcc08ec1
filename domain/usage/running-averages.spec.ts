import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toRunningAverages } from './running-averages.js';

const figuresOf = (samples: readonly number[]) => ({
  count: samples.length,
  total: samples.reduce((sum, one) => sum + one, 0),
  min: Math.min(...samples),
  max: Math.max(...samples),
});

describe('running averages', () => {
  it('say -1 where there is no sample, over the life and over the last minute each', () => {
    const none = { count: -1, total: -1, min: -1, max: -1, avg: -1 };
    expect(toRunningAverages(null, null)).toEqual({
      ...none,
      count_60s: -1,
      total_60s: -1,
      min_60s: -1,
      max_60s: -1,
      avg_60s: -1,
    });
    expect(toRunningAverages(figuresOf([4, 8]), { count: 0, total: 0, min: 0, max: 0 })).toMatchObject({
      count: 2,
      total: 12,
      min: 4,
      max: 8,
      avg: 6,
      count_60s: -1,
      avg_60s: -1,
    });
  });

  it('lie between the least and the greatest sample, an idle instance at 0', () => {
    const samples = fc.array(fc.nat(2 ** 40), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(samples, samples, (life, recent) => {
        const wire = toRunningAverages(figuresOf(life), figuresOf(recent));
        expect(wire.avg).toBeGreaterThanOrEqual(wire.min);
        expect(wire.avg).toBeLessThanOrEqual(wire.max);
        expect(wire.avg * life.length).toBeCloseTo(wire.total, -1);
        expect(wire.avg_60s).toBeGreaterThanOrEqual(wire.min_60s);
        expect(wire.avg_60s).toBeLessThanOrEqual(wire.max_60s);
      }),
    );
    expect(toRunningAverages(figuresOf([0, 0]), null)).toMatchObject({ count: 2, min: 0, avg: 0 });
  });
});
