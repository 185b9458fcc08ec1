import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Delimiter } from './delimiters.js';
import { TableReader } from './read-table.js';
import type { TableRecord } from './record-queue.js';

/** Whole inputs (delimiter, header, rows) are covered in plan-input.spec.ts, writing and reading back in write-results.spec.ts. */
function read(text: string, delimiter: Delimiter = 'comma', pieceLength = text.length || 1): TableRecord[] {
  const reader = new TableReader(delimiter);
  const records: TableRecord[] = [];
  for (let at = 0; at < text.length; at += pieceLength)
    records.push(...reader.push(text.slice(at, at + pieceLength)));
  return [...records, ...reader.end()];
}

const cellsOf = (text: string, delimiter?: Delimiter) => read(text, delimiter).map(({ cells }) => cells);

describe('reading a table', () => {
  it.each<[string, string, Delimiter, string[][]]>([
    [
      'cells at commas',
      'a,b\nc,d\n',
      'comma',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'CRLF and a missing last line end',
      'a,b\r\nc,d',
      'comma',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['lone CR as a line end', 'a\rb\r', 'comma', [['a'], ['b']]],
    ['no byte-order mark', '\uFEFFa,b', 'comma', [['a', 'b']]],
    ['a byte-order mark further on', 'a,\uFEFFb', 'comma', [['a', '\uFEFFb']]],
    [
      'quoted delimiters, quotes and line ends',
      '"a,b","c""d","e\r\nf"\n',
      'comma',
      [['a,b', 'c"d', 'e\r\nf']],
    ],
    ['a lone quote in an unquoted cell', 'a"b,5" disk\n', 'comma', [['a"b', '5" disk']]],
    ['text after a closing quote', '"a"b,c', 'comma', [['ab', 'c']]],
    ['empty lines between, not at the end', 'a\n\n\nb\n\n \n', 'comma', [['a'], [''], [''], ['b']]],
    ['a quoted empty cell at the end', 'a\n""\n', 'comma', [['a'], ['']]],
    [
      'a line of delimiters',
      'a,b\n,\n',
      'comma',
      [
        ['a', 'b'],
        ['', ''],
      ],
    ],
    ['an empty last cell', 'a,', 'comma', [['a', '']]],
    ['tabs', 'a\tb,c', 'tab', [['a', 'b,c']]],
    ['semicolons', 'a;1,5', 'semicolon', [['a', '1,5']]],
    ['no delimiter, but quotes', 'a,b\n"c"', 'none', [['a,b'], ['c']]],
    [
      'the name after the first blank',
      'CCO ethyl alcohol\nCC\n',
      'blank',
      [['CCO', 'ethyl alcohol'], ['CC']],
    ],
    ['the name after a tab', 'CCO\tethanol', 'blank', [['CCO', 'ethanol']]],
    ['the name after the bars', 'CCO |c:1 2,3| ethanol', 'blank', [['CCO |c:1 2,3|', 'ethanol']]],
    ['quotes of SMILES lines literally', '"CCO" x', 'blank', [['"CCO"', 'x']]],
  ])('reads %s', (_, text, delimiter, expected) => {
    expect(cellsOf(text, delimiter)).toEqual(expected);
  });

  it.each<[string, string, string[]]>([
    ['keeps commas inside bars after a SMILES', '1,CCO |c:1,2|,x', ['1', 'CCO |c:1,2|', 'x']],
    ['splits where the bars do not close', 'CCO |c:1,2,"x,y"', ['CCO |c:1', '2', 'x,y']],
    ['splits where no SMILES stands before', 'foo |c:1,2|', ['foo |c:1', '2|']],
    ['splits where no blank stands before', 'CCO|c:1,2|', ['CCO|c:1', '2|']],
    ['splits after closed bars', 'CC |a,b|,CN |c,d|', ['CC |a,b|', 'CN |c,d|']],
    ['splits where the next bar belongs to another cell', 'CC |x,CN |y', ['CC |x', 'CN |y']],
    ['sees bars after a lone bar', 'CC |x,CN |a,b|', ['CC |x', 'CN |a,b|']],
    ['keeps a name after the bars', 'CC |a,b| x,y', ['CC |a,b| x', 'y']],
    ['opens bars once per cell only', 'CC |a| |b,c|', ['CC |a| |b', 'c|']],
  ])('%s', (_, text, expected) => {
    expect(cellsOf(text)).toEqual([expected]);
  });

  it('numbers records by the line on which they begin', () => {
    expect(read('a\r\n"b\r\nb\nb"\n\nc\rd').map(({ line }) => line)).toEqual([1, 2, 5, 6, 7]);
  });

  it('reports a quote left open and keeps its text', () => {
    expect(read('a\n"b,c\nd')).toEqual([
      { line: 1, cells: ['a'] },
      { line: 2, cells: ['b,c\nd'], fault: 'unclosed-quote' },
    ]);
  });

  it('gives up a record that is too long and goes on with the next', () => {
    const reader = new TableReader('comma', { maxRecordLength: 10 });
    const records = [...reader.push('a\nbbbbbb,cccccc\nd'), ...reader.end()];
    expect(records).toEqual([
      { line: 1, cells: ['a'] },
      { line: 2, cells: [], fault: 'too-long' },
      { line: 3, cells: ['d'] },
    ]);
  });

  it('counts records beyond the maximum without returning them, empty lines included', () => {
    const reader = new TableReader('comma', { maxRecords: 3 });
    expect(reader.push(`a\n${'\n'.repeat(1_000_000)}b\nc\n`)).toHaveLength(3);
    expect(reader.recordCount).toBe(1_000_003);
  });

  it('reads the same records however the text is cut', () => {
    const token = fc.constantFrom(
      ',',
      '\n',
      '\r',
      '\r\n',
      '"',
      '""',
      '|',
      ' |',
      'CCO',
      'C',
      ' ',
      '\t',
      ';',
      'é',
      '\uFEFF',
    );
    const text = fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join(''));
    const delimiter = fc.constantFrom<Delimiter>('comma', 'tab', 'semicolon', 'blank', 'none');
    fc.assert(
      fc.property(text, delimiter, fc.integer({ min: 1, max: 7 }), (input, by, pieceLength) => {
        expect(read(input, by, pieceLength)).toEqual(read(input, by));
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes bars beyond 64 KiB for text, however they are cut', () => {
    const bars = `CC |${'x,'.repeat(33_000)}|,y`;
    expect(read(bars)[0]?.cells).toHaveLength(33_002);
    expect(read(bars, 'comma', 1_000)).toEqual(read(bars));
  });

  it('loses no text of a table without quotes', () => {
    const text = fc.stringMatching(/^[A-Za-z0-9,| \n]{0,80}$/);
    fc.assert(
      fc.property(text, (input) => {
        const lines = input.split('\n').map((line) => (line.trim() === '' ? '' : line));
        while (lines.at(-1) === '') lines.pop();
        expect(cellsOf(input).map((cells) => cells.join(','))).toEqual(lines);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['bars that never close', 'CC |x,'.repeat(200_000)],
    ['one bar and a long line', `CC |${'x,'.repeat(500_000)}`],
    ['bars on every cell', 'CC |x|,'.repeat(200_000)],
    ['one cell of many bars', 'CC |'.repeat(200_000)],
    ['an opening quote', `"${'a\n'.repeat(500_000)}`],
    ['quotes only', '"'.repeat(1_000_001)],
    ['blank lines and a row', `${' \r\n'.repeat(300_000)}x`],
  ])('reads %s in linear time', (_, text) => {
    const started = performance.now();
    read(text, 'comma', 64 * 1024);
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
