import { describe, expect, it } from '@jest/globals';
import { AtMost } from './at-most.js';

describe('at most so many at once', () => {
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

  it('never runs more than it may, runs all in order, and refuses what would wait too long', async () => {
    const gate = new AtMost(2, 3);
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const work = (number: number) => async () => {
      running++;
      most = Math.max(most, running);
      order.push(number);
      await pause();
      running--;
      return number;
    };
    const results = await Promise.all([1, 2, 3, 4, 5, 6, 7].map((number) => gate.run(work(number))));
    expect(results).toEqual([1, 2, 3, 4, 5, null, null]);
    expect(order).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });

  it('gives the place free when the work fails', async () => {
    const gate = new AtMost(1, 1);
    await expect(gate.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.run(async () => 'again')).toBe('again');
  });
});
