import { describe, expect, it } from '@jest/globals';
import type { InputVerdict } from './input-verdict.js';
import { toRow } from './to-row.js';

const verdict: InputVerdict = {
  ok: true,
  delimiter: 'comma',
  header: true,
  headerBecause: '',
  headerLine: 2,
  column: { index: 0, name: 'smiles' },
  columnBecause: '',
  columnNames: ['smiles', 'name'],
  warning: null,
};

describe('the row of a record', () => {
  it.each([
    ['trims the SMILES and nothing else', [' CCO ', ' ethanol '], ['CCO', ' ethanol ']],
    ['leaves missing cells out', ['CCO'], ['CCO']],
    ['keeps text beyond the last column in it', ['CCO', '2', '4-dinitro', ''], ['CCO', '2,4-dinitro']],
    ['drops empty cells beyond the last column', ['CCO', 'a', '', ' '], ['CCO', 'a']],
    ['keeps an empty record', [''], ['']],
    ['keeps a record without cells', [], []],
  ])('%s', (_, cells, expected) => {
    expect(toRow({ line: 3, cells }, verdict)).toEqual(expected);
  });

  it('is none for the header and the lines before it', () => {
    expect([1, 2, 3].map((line) => toRow({ line, cells: ['x'] }, verdict))).toEqual([null, null, ['x']]);
    expect(toRow({ line: 1, cells: ['x'] }, { ...verdict, headerLine: null })).toEqual(['x']);
  });

  it('becomes visibly invalid rather than lose text after a last SMILES column', () => {
    const last = { ...verdict, column: { index: 1, name: 'smiles' } };
    expect(toRow({ line: 3, cells: ['a', 'CCO', 'b'] }, last)).toEqual(['a', 'CCO,b']);
  });
});
