import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SHARD_MAX_INPUT_BYTES, SHARD_MAX_ROWS, SHARD_MAX_VALUES } from './limits.js';
import { ShardPlanner, rowBytes } from './plan-shards.js';
import type { PlannedShard } from './plan-shards.js';

function plan(rows: readonly string[][], modelColumnCount: number | null) {
  const planner = new ShardPlanner(modelColumnCount);
  const shards: PlannedShard[] = [];
  const refused: string[][] = [];
  for (const row of rows) {
    const planned = planner.add(row);
    if (!planned.ok) refused.push(row);
    else if (planned.shard !== null) shards.push(planned.shard);
  }
  const last = planner.end();
  return { shards: last === null ? shards : [...shards, last], refused };
}

const sizes = (rows: readonly string[][], modelColumnCount: number | null) =>
  plan(rows, modelColumnCount).shards.map((shard) => shard.rows.length);

const rowsOf = (count: number, cell = 'CCO') => Array.from({ length: count }, () => [cell]);

describe('planning shards', () => {
  it.each<[string, string[][], number | null, number[]]>([
    ['no row makes no shard', [], 12, []],
    ['1,000 rows make one', rowsOf(1_000), 12, [1_000]],
    ['1,001 rows make two', rowsOf(1_001), 12, [1_000, 1]],
    // 200,000 values / 2,048 columns = 97 rows
    ['a wide model gets fewer rows', rowsOf(200), 2_048, [97, 97, 6]],
    ['a model wider than a shard gets one row each', rowsOf(2), 300_000, [1, 1]],
    ['undeclared columns do not count', rowsOf(1_001), null, [1_000, 1]],
    // 262,144 bytes / (99,999 + 1) = 2 rows
    ['long cells count by bytes', rowsOf(5, 'C'.repeat(99_999)), 1, [2, 2, 1]],
    // 3 bytes each: 262,144 / (3 x 33,333 + 1) = 2 rows
    ['bytes are UTF-8', rowsOf(5, '漢'.repeat(33_333)), 1, [2, 2, 1]],
  ])('%s', (_, rows, columns, expected) => {
    expect(sizes(rows, columns)).toEqual(expected);
  });

  it('refuses a row larger than a shard, and plans the others', () => {
    const large = ['C'.repeat(SHARD_MAX_INPUT_BYTES)];
    const { shards, refused } = plan([['CC'], large, ['CN']], 1);
    expect(refused).toEqual([large]);
    expect(shards).toEqual([{ shardNo: 0, firstRow: 0, rows: [['CC'], ['CN']], inputBytes: 6 }]);
    expect(new ShardPlanner(1).add(large)).toEqual({
      ok: false,
      message: 'the row has 262145 bytes, more than 262144; shorten its cells',
    });
  });

  it('takes a row of exactly one shard', () => {
    expect(sizes([['C'.repeat(SHARD_MAX_INPUT_BYTES - 1)], ['C']], 1)).toEqual([1, 1]);
  });

  it('counts bytes as UTF-8 does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(rowBytes([text])).toBe(new TextEncoder().encode(text).length + 1);
      }),
    );
    expect(rowBytes(['\ud800', 'a\udc00'])).toBe(3 + 1 + 4 + 1);
  });

  it('puts every row into exactly one shard, in order and within the bounds', () => {
    const cell = fc.oneof(
      fc.string(),
      fc.integer({ min: 0, max: 120_000 }).map((length) => 'C'.repeat(length)),
    );
    const rows = fc.array(fc.array(cell, { maxLength: 3 }), { maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 100_000 }), (given, columns) => {
        const { shards, refused } = plan(given, columns);
        expect(shards.flatMap((shard) => shard.rows)).toEqual(given.filter((row) => !refused.includes(row)));
        let next = 0;
        shards.forEach((shard, index) => {
          expect(shard).toMatchObject({ shardNo: index, firstRow: next });
          next += shard.rows.length;
          expect(shard.rows.length).toBeLessThanOrEqual(SHARD_MAX_ROWS);
          expect(shard.rows.length * columns).toBeLessThanOrEqual(SHARD_MAX_VALUES);
          expect(shard.inputBytes).toBe(shard.rows.reduce((sum, row) => sum + rowBytes(row), 0));
          expect(shard.inputBytes).toBeLessThanOrEqual(SHARD_MAX_INPUT_BYTES);
        });
      }),
    );
  });
});
