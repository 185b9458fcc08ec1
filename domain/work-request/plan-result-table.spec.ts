import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mergeColumns, planResultTable, resultRows } from './plan-result-table.js';
import type { ShardResult } from './shard-content.js';

const plan = (columnNames: string[], modelColumns: string[], smilesIndex = 0) =>
  planResultTable({ columnNames, modelColumns, smilesIndex }).columns.join(' ');

describe('the columns of a result', () => {
  it.each([
    [
      'are key, input, carried, model, status',
      ['smiles', 'id'],
      ['mw', 'logp'],
      'key input id mw logp status',
    ],
    [
      'rename a carried column named like ours',
      ['smiles', 'key', 'status'],
      ['mw'],
      'key input input_key input_status mw status',
    ],
    [
      'rename a carried column named like the model’s',
      ['smiles', 'mw'],
      ['mw'],
      'key input input_mw mw status',
    ],
    ['rename a model column named like ours', ['smiles'], ['key', 'mw'], 'key input model_key mw status'],
    ['number carried columns of one name', ['smiles', 'id', 'id', 'id'], [], 'key input id id_2 id_3 status'],
    ['number model columns of one name', ['smiles'], ['a', 'a'], 'key input a model_a status'],
    [
      'leave no name twice',
      ['smiles', 'input_key', 'key', 'key'],
      [],
      'key input input_key input_key_2 input_key_3 status',
    ],
  ])('%s', (_, columnNames, modelColumns, expected) => {
    expect(plan(columnNames, modelColumns)).toBe(expected);
  });

  it('are all different, and the model’s do not depend on the input', () => {
    const name = fc.constantFrom('key', 'input', 'status', 'a', 'a_2', 'input_a', 'model_key', '');
    const names = fc.array(name, { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 8 }), names, (columnNames, modelColumns) => {
        const { columns } = planResultTable({ columnNames, modelColumns, smilesIndex: 0 });
        const alone = planResultTable({ columnNames: ['smiles'], modelColumns, smilesIndex: 0 }).columns;
        expect(new Set(columns).size).toBe(columns.length);
        expect(columns).toHaveLength(columnNames.length - 1 + modelColumns.length + 3);
        expect(columns.slice(columnNames.length + 1)).toEqual(alone.slice(2));
      }),
    );
  });

  it('of several shards come in order of first appearance', () => {
    expect(mergeColumns([['b', 'a'], [], ['c', 'a']])).toEqual(['b', 'a', 'c']);
  });
});

describe('the rows of a result', () => {
  const table = planResultTable({
    columnNames: ['id', 'smiles', 'name'],
    smilesIndex: 1,
    modelColumns: ['a', 'b'],
  });
  const input = { rows: [['1', 'CCO', 'ethanol'], ['2', 'foo'], []] };

  it('stand in the table’s columns, whatever the shard’s order of columns', () => {
    const result: ShardResult = {
      columns: ['b', 'x', 'a'],
      rows: [[1, 2, false], null, null],
      keys: ['K', null, null],
      status: ['ok', 'invalid', 'failed'],
    };
    expect([...resultRows(table, input, result)]).toEqual([
      ['K', 'CCO', '1', 'ethanol', false, 1, 'ok'],
      [null, 'foo', '2', '', null, null, 'invalid'],
      [null, '', '', '', null, null, 'failed'],
    ]);
  });

  it('are there without a result', () => {
    expect([...resultRows(table, input, null)][0]).toEqual([
      null,
      'CCO',
      '1',
      'ethanol',
      null,
      null,
      'not_run',
    ]);
  });
});
