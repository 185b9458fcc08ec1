import { describe, expect, it } from '@jest/globals';
import { isSmallWork } from './small-path.js';

const calls = (...each: [rows: number, ms: number][]) => each.map(([rows, ms]) => ({ rows, ms }));

describe('the short path', () => {
  it.each([
    [
      'takes one row of a model that answered three single rows in 5 ms',
      calls([1, 5], [1, 5], [1, 5]),
      1,
      1,
      true,
    ],
    ['refuses a model of which fewer than three calls are known', calls([1, 5], [1, 5]), 1, 1, false],
    ['refuses work of two shards, however quick', calls([1, 1], [1, 1], [1, 1]), 1, 2, false],
    // 3 calls, the slowest 20 ms a row: 50 rows need 1,000 ms, half the cap; 51 need more.
    ['takes as many rows as fit into half the cap', calls([10, 200], [1, 5], [1, 5]), 50, 1, true],
    ['refuses one row more', calls([10, 200], [1, 5], [1, 5]), 51, 1, false],
    ['takes 100 rows of a model that is quick enough', calls([1, 1], [1, 1], [1, 1]), 100, 1, true],
    ['refuses 101, which take long to read', calls([1000, 1], [1000, 1], [1000, 1]), 101, 1, false],
    ['judges by the slowest call', calls([1, 5], [1, 5], [1, 1001]), 1, 1, false],
    ['counts a call without rows as one row', calls([0, 5], [0, 5], [0, 5]), 1, 1, true],
  ])('%s', (_, known, rows, shards, expected) => {
    expect(isSmallWork(known, rows, shards)).toBe(expected);
  });
});
