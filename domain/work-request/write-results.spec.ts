import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Delimiter } from './delimiters.js';
import { restoreFormula } from './neutralise-formula.js';
import { planResultTable } from './plan-result-table.js';
import { TableReader } from './read-table.js';
import type { Cell } from './shard-content.js';
import { createResultWriter, toContractCsv, toResultObject, writeShard } from './write-results.js';
import type { ResultFormat, WriteOptions } from './write-results.js';

function write(format: ResultFormat, columns: string[], rows: Cell[][], options?: WriteOptions): string {
  const writer = createResultWriter(format, columns, options);
  return writer.head + rows.map((row) => writer.row(row)).join('') + writer.tail;
}

function read(text: string, delimiter: Delimiter) {
  const reader = new TableReader(delimiter);
  return [...reader.push(text), ...reader.end()].map(({ cells }) => cells.map(restoreFormula));
}

const ROWS: Cell[][] = [
  ['CCO |c:1,2|', 'a "b"', 1e-7, true, null],
  ['line\nend', '=1+1', -0.5, false, '-5'],
];
const COLUMNS = ['input', 'name,x', 'v', 'flag', 'none'];

describe('writing results', () => {
  it('writes CSV as RFC 4180 says', () => {
    expect(write('csv', COLUMNS, ROWS)).toBe(
      'input,"name,x",v,flag,none\r\n"CCO |c:1,2|","a ""b""",1e-7,true,\r\n"line\nend",\'=1+1,-0.5,false,-5\r\n',
    );
  });

  it('writes TSV with the same rules', () => {
    expect(write('tsv', ['a', 'b\tc'], [['x,y', 'd\te']])).toBe('a\t"b\tc"\nx,y\t"d\te"\n');
  });

  it('puts a byte-order mark first if asked', () => {
    expect(write('csv', ['a'], [], { byteOrderMark: true })).toBe('\uFEFFa\r\n');
    expect(write('json', ['a'], [], { byteOrderMark: true })).toBe('[\n]\n');
  });

  it('neutralises column names too', () => {
    expect(write('csv', ['=a'], [])).toBe("'=a\r\n");
  });

  it('writes NDJSON and JSON with the columns in order and texts as they are', () => {
    const rows: Cell[][] = [
      ['=1', 2],
      [null, true],
    ];
    expect(write('ndjson', ['10', '9'], rows)).toBe('{"10":"=1","9":2}\n{"10":null,"9":true}\n');
    expect(write('json', ['10', '9'], rows)).toBe('[\n{"10":"=1","9":2},\n{"10":null,"9":true}\n]\n');
  });

  it('writes a shard’s rows', () => {
    const table = planResultTable({ columnNames: ['smiles', 'id'], smilesIndex: 0, modelColumns: ['mw'] });
    const writer = createResultWriter('csv', table.columns);
    const result = {
      columns: ['mw'],
      rows: [[46.07], null],
      keys: ['K', null],
      status: ['ok', 'invalid'] as const,
    };
    expect(
      writeShard(
        writer,
        table,
        {
          rows: [
            ['CCO', '1'],
            ['foo', '2'],
          ],
        },
        result,
      ),
    ).toBe('K,CCO,1,46.07,ok\r\n,foo,2,,invalid\r\n');
  });

  it('gives the contract one text per record, a line end inside a cell included', () => {
    expect(ROWS.map(toContractCsv)).toEqual([
      '"CCO |c:1,2|","a ""b""",1e-7,true,',
      '"line\nend",\'=1+1,-0.5,false,-5',
    ]);
    expect(toResultObject(['a', '__proto__'], ['x', 1])).toEqual(JSON.parse('{"a":"x","__proto__":1}'));
  });

  const hard = fc.constantFrom(
    ',',
    '"',
    '\n',
    '\r',
    '\r\n',
    '\t',
    '|',
    'CC |',
    "'",
    '=',
    '-1',
    ' ',
    '\uFEFF',
    ';',
    'é',
    '\ud800',
    '\u0000',
    'CCO',
  );
  const text = fc.oneof(
    fc.array(hard, { maxLength: 6 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  );
  const table = fc
    .integer({ min: 1, max: 5 })
    .chain((width) =>
      fc.array(fc.array(text, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }),
    );

  it.each<['csv' | 'tsv', Delimiter]>([
    ['csv', 'comma'],
    ['tsv', 'tab'],
  ])('writes %s that is read as the same cells', (format, delimiter) => {
    fc.assert(
      fc.property(table, fc.boolean(), ([head = [], ...rows], byteOrderMark) => {
        expect(read(write(format, head, rows, { byteOrderMark }), delimiter)).toEqual([head, ...rows]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('writes numbers that are read as the same numbers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        (numbers) => {
          const [, cells = []] = read(write('csv', numbers.map(String), [numbers]), 'comma');
          expect(cells.map(Number)).toEqual(numbers.map((number) => number + 0));
        },
      ),
    );
  });

  it('writes JSON lines that parse to the same values', () => {
    const cell = fc.oneof(text, fc.boolean(), fc.integer(), fc.constant(null));
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1 }), (row) => {
        const columns = row.map((_, index) => `c${index}`);
        expect(JSON.parse(write('ndjson', columns, [row]))).toEqual(toResultObject(columns, row));
        expect(JSON.parse(write('json', columns, [row, row]))).toEqual(
          [0, 1].map(() => toResultObject(columns, row)),
        );
      }),
    );
  });
});
