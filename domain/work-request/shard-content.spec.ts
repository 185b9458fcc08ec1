import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  readShardInput,
  readShardResult,
  rowStatuses,
  writeShardInput,
  writeShardResult,
} from './shard-content.js';
import type { Cell, RowStatus } from './shard-content.js';

const text = fc.string({ unit: 'binary' });
const cell: fc.Arbitrary<Cell> = fc.oneof(
  text,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.boolean(),
  fc.constant(null),
);

describe('the content of a shard', () => {
  it('is read as it was written', () => {
    const row = fc.record({
      values: fc.option(fc.array(cell, { maxLength: 4 })),
      key: fc.option(text),
      state: fc.constantFrom<RowStatus>(...rowStatuses),
    });
    fc.assert(
      fc.property(fc.array(fc.array(text)), fc.array(text), fc.array(row), (rows, columns, answers) => {
        expect(readShardInput(writeShardInput({ rows }))).toEqual({ rows });
        const result = {
          columns,
          rows: answers.map(({ values }) => values),
          keys: answers.map(({ key }) => key),
          status: answers.map(({ state }) => state),
        };
        expect(readShardResult(writeShardResult(result))).toEqual(result);
      }),
    );
  });

  it.each([
    ['', /stored input of a shard.*compute the shard again/],
    ['null', /it is no object/],
    ['{"rows":["CCO"]}', /it has no list of rows/],
  ])('damaged input %j is told', (stored, message) => {
    expect(() => readShardInput(stored)).toThrow(message);
  });

  it.each([
    ['{"columns":[],"rows":[]', /stored result of a shard/],
    ['{"columns":[],"rows":[],"keys":[]}', /a list is missing/],
    ['{"columns":[],"rows":[null],"keys":[],"status":["ok"]}', /its lists differ in length/],
  ])('damaged result %j is told', (stored, message) => {
    expect(() => readShardResult(stored)).toThrow(message);
  });
});
