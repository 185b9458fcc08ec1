import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assembleShardResult, planModelInput, unansweredShard } from './assemble-shard-result.js';
import type { AssembledShard } from './assemble-shard-result.js';

const SMILES = ['CCO', 'foo', 'CC', 'CCO', ''];
const input = planModelInput(SMILES, [true, false, true, true, true]);
const keys = ['K1', null, 'K2', 'K1', null];

function assemble(answer: unknown, columns: readonly string[] | null = null): AssembledShard {
  return assembleShardResult({ input, keys, answer, columns });
}

function resultOf(assembled: AssembledShard) {
  if (!assembled.ok) throw new Error(assembled.problem);
  return assembled.result;
}

describe('the input of a model', () => {
  it('holds each valid text once and knows which row it answers', () => {
    expect(input).toEqual({ texts: ['CCO', 'CC'], textOfRow: [0, null, 1, 0, null] });
  });

  it('answers every row whose text was sent with that text', () => {
    const rows = fc.array(fc.tuple(fc.constantFrom('C', 'CC', '', 'N', '__proto__'), fc.boolean()));
    fc.assert(
      fc.property(rows, (given) => {
        const { texts, textOfRow } = planModelInput(
          given.map(([text]) => text),
          given.map(([, valid]) => valid),
        );
        expect(new Set(texts).size).toBe(texts.length);
        const answered = textOfRow.map((position) => (position === null ? null : texts[position]));
        expect(answered).toEqual(given.map(([text, valid]) => (valid && text !== '' ? text : null)));
      }),
    );
  });
});

describe('the result of a shard', () => {
  it('has an entry for every row, in order', () => {
    expect(
      assemble([
        { mw: 46, flat: true },
        { mw: 30, flat: null },
      ]),
    ).toEqual({
      ok: true,
      ignored: [],
      result: {
        columns: ['mw', 'flat'],
        rows: [[46, true], null, [30, null], [46, true], null],
        keys,
        status: ['ok', 'invalid', 'ok', 'ok', 'invalid'],
      },
    });
  });

  it('marks the rows of a null record as failed', () => {
    expect(resultOf(assemble([null, { mw: 30 }])).status).toEqual([
      'failed',
      'invalid',
      'ok',
      'failed',
      'invalid',
    ]);
  });

  it('aligns records by name to the declared columns and tells what it left out', () => {
    const assembled = assemble([{ b: 1, a: 2, z: 3 }, { a: 4 }], ['a', 'b']);
    expect(resultOf(assembled).rows).toEqual([[2, 1], null, [4, null], [2, 1], null]);
    expect(assembled).toMatchObject({ ignored: ['z'] });
  });

  it('takes undeclared columns in order of first appearance', () => {
    const result = resultOf(assemble([{ b: 1 }, { a: 2, b: 3 }]));
    expect([result.columns, result.rows[0], result.rows[2]]).toEqual([
      ['b', 'a'],
      [1, null],
      [3, 2],
    ]);
  });

  it('makes every value a cell', () => {
    const record = {
      list: [1, 'x'],
      nested: { a: null },
      endless: Infinity,
      none: Number.NaN,
      missing: undefined,
    };
    expect(resultOf(assemble([record, null])).rows[0]).toEqual(['[1,"x"]', '{"a":null}', null, null, null]);
  });

  it('takes names that objects have by themselves for what they are', () => {
    const record: unknown = JSON.parse('{"__proto__": 1, "constructor": 2}');
    expect(resultOf(assemble([record, {}])).rows).toEqual([[1, 2], null, [null, null], [1, 2], null]);
    expect(resultOf(assemble([{ a: 1 }, {}], ['a', 'toString'])).rows[0]).toEqual([1, null]);
  });

  it('is all invalid where nothing was sent', () => {
    const nothing = planModelInput(['foo'], [false]);
    const assembled = assembleShardResult({ input: nothing, keys: [null], answer: [], columns: ['mw'] });
    expect(resultOf(assembled)).toEqual({ columns: ['mw'], rows: [null], keys: [null], status: ['invalid'] });
  });

  it.each<[string, unknown, readonly string[] | null, string]>([
    ['too few records', [{ a: 1 }], null, '1 records for 2 molecules'],
    ['too many records', [{}, {}, {}], null, '3 records for 2 molecules'],
    ['a text', '<html>', null, 'a string instead of a list of 2 records'],
    ['null', null, null, 'null instead of a list of 2 records'],
    ['one record', { a: 1 }, null, 'a single record instead of a list of 2 records'],
    ['numbers', [1, 2], null, 'a number instead of a record at position 1 of 2'],
    ['lists', [{}, [1]], null, 'a list instead of a record at position 2 of 2'],
    [
      'other columns',
      [{ x: 1 }, { y: 1, z: 1, w: 1 }],
      ['a', 'b'],
      'none of its declared columns, but x, y, z and 1 more instead of a, b',
    ],
  ])('is refused for %s', (_, answer, columns, words) => {
    expect(assemble(answer, columns)).toEqual({
      ok: false,
      problem: `the model answered ${words}`,
    });
  });

  it('is refused for records that each bring other names', () => {
    const texts = Array.from({ length: 1_000 }, (_, index) => `C${index}`);
    const wide = planModelInput(
      texts,
      texts.map(() => true),
    );
    const answer = texts.map((text) =>
      Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${text}-${index}`, 1])),
    );
    expect(assembleShardResult({ input: wide, keys: texts, answer, columns: null })).toMatchObject({
      ok: false,
    });
  });

  it('of rows that were not computed holds nothing', () => {
    expect(unansweredShard(2, 'not_run', ['a'])).toEqual({
      columns: ['a'],
      rows: [null, null],
      keys: [null, null],
      status: ['not_run', 'not_run'],
    });
  });
});
