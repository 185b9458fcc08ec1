import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Delimiter } from './delimiters.js';
import type { HeaderMode, InputRefusal, InputVerdict } from './input-verdict.js';
import { judgeInput, textsToJudge } from './judge-input.js';
import { TableReader } from './read-table.js';

/** Chemistry is replaced by a list here: the rule only asks, and chemistry/ has tests of its own. */
const MOLECULES = new Set([
  'CCO',
  'CC',
  'C',
  'N',
  'c1ccccc1',
  'CC(=O)O',
  'CCN',
  'CCCl',
  'CCO |c:1|',
  'OCC',
  'CCCCCC',
]);

interface Given {
  readonly delimiter?: Delimiter;
  readonly header?: HeaderMode;
  readonly column?: string | number;
}

function judge(text: string, given: Given = {}): InputVerdict | InputRefusal {
  const { delimiter = 'comma', header = 'auto', column = null } = given;
  const reader = new TableReader(delimiter);
  const records = [...reader.push(text), ...reader.end()];
  const choice = { delimiter, header, column };
  const asked = new Set(textsToJudge(records, choice));
  return judgeInput(records, choice, (molecule) => {
    if (!asked.has(molecule)) throw new Error(`asked for ${molecule}, which was not announced`);
    return MOLECULES.has(molecule);
  });
}

function summary(verdict: InputVerdict | InputRefusal): string {
  if (!verdict.ok) return verdict.code;
  return `${verdict.header ? 'header' : 'no header'}, ${verdict.column.index} ${verdict.column.name}`;
}

describe('judging header and SMILES column', () => {
  it.each<[string, string, Given, string]>([
    ['a known name', 'id,SMILES\n1,CCO', {}, 'header, 1 SMILES'],
    ['the better of two known names', 'input,smiles\nx,CCO', {}, 'header, 1 smiles'],
    ['a name with a blank', 'Canonical SMILES,id\nCCO,1', {}, 'header, 0 Canonical SMILES'],
    ['a known name over InChIKeys', 'input,mol\nBSYNRYMUTXBXSQ-UHFFFAOYSA-N,CCO', {}, 'header, 1 mol'],
    [
      'an InChIKey column, SMILES and no header',
      'BSYNRYMUTXBXSQ-UHFFFAOYSA-N,CCO\nRYYVLZVUVIJVGH-UHFFFAOYSA-N,CC',
      {},
      'no header, 1 column_2',
    ],
    ['an unknown header of one column', 'molecule\nCCO\nCC', {}, 'header, 0 molecule'],
    ['an unknown header of two columns', 'no,mol\n1,CCO\n2,CC', {}, 'header, 1 mol'],
    ['one column of molecules', 'CCO\nCC', {}, 'no header, 0 column_1'],
    ['a first molecule that is wrong, and others too', 'XX\nCCO\nYY\nZZ', {}, 'no header, 0 column_1'],
    ['an empty first cell', ',ethanol\nCCO,x\nCC,y', {}, 'no header, 0 column_1'],
    ['one row', 'CCO', {}, 'no header, 0 column_1'],
    ['one row of two columns', 'ethanol,CCO', {}, 'no header, 1 column_2'],
    ['flags beside the molecules', 'N,CCCCCC\nN,c1ccccc1', {}, 'no header, 1 column_2'],
    [
      'one bad molecule beside valid flags',
      'N,CCO\nN,CC(=O)O\nN,c1ccccc1\nN,CCCCCC\nN,C1C\nN,CCCl',
      {},
      'no header, 1 column_2',
    ],
    ['two columns of molecules', 'CCO,OCC\nCCN,CCCl', {}, 'no header, 0 column_1'],
    [
      'a column of molecules left of one that has more',
      'CC(=O)O,CCO\nc1ccccc1,CC\nCCCCCC,CCN\nc1ccccc1,OCC\nC1C,CCCl',
      {},
      'no header, 1 column_2',
    ],
    [
      'two kinds of flags beside molecules, one of them wrong',
      'N,CC,CCCCCC\nN,CC,c1ccccc1\nN,CC,CC(=O)O\nN,CC,CCCCCC\nN,CC,C1C\n',
      {},
      'no header, 2 column_3',
    ],
    [
      'flags beside a column that is rarely right',
      'N,CCCCCC\nN,C1C\nN,C1C\nN,CC(=O)O\nN,C1C',
      {},
      'no header, 0 column_1',
    ],
    ['a molecule in the first row only', 'a,CCO\nb,XX', {}, 'no header, 1 column_2'],
    ['nothing valid', 'foo,bar\nbaz,qux', {}, 'no header, 0 column_1'],
    ['nothing valid beside numbers', '1,foo\n2,bar', {}, 'no header, 1 column_2'],
    ['a header with an empty name', 'smiles,\nCCO,x', {}, 'header, 0 smiles'],
    ['blank lines before the header', '\n\nsmiles\nCCO', {}, 'header, 0 smiles'],
    ['bars', 'CCO |c:1|\nCC', { delimiter: 'none' }, 'no header, 0 column_1'],
    ['SMILES lines', 'CCO ethanol\nCC ethane', { delimiter: 'blank' }, 'no header, 0 smiles'],
    ['SMILES lines with a header', 'mol title\nCCO ethanol', { delimiter: 'blank' }, 'header, 0 mol'],
    ['yes, over molecules', 'CCO\nCC', { header: 'yes' }, 'header, 0 CCO'],
    ['no, over a known name', 'smiles\nCCO', { header: 'no' }, 'no header, 0 column_1'],
    ['a chosen name', 'a,smiles,b\nCC,CCO,N', { column: 'B' }, 'header, 2 b'],
    ['a chosen name of an unknown header', 'a,b\nfoo,bar', { column: 'b' }, 'header, 1 b'],
    ['a chosen number from 1', 'CCO,CC', { column: '2' }, 'no header, 1 column_2'],
    ['a chosen index from 0', 'CCO,CC', { column: 0 }, 'no header, 0 column_1'],
    ['a chosen name the hub gives', 'CCO,CC', { column: 'column_2' }, 'no header, 1 column_2'],
    ['nothing', '', {}, 'empty'],
    ['blank lines', '\n \n"",\n', {}, 'empty'],
    ['a header alone', 'id,smiles\n\n', {}, 'header-only'],
    ['a header said alone', 'CCO', { header: 'yes' }, 'header-only'],
    ['a column that is not there', 'id,smiles\n1,CCO', { column: 'mol' }, 'unknown-column'],
    ['a number that is not there', 'CCO,CC', { column: '3' }, 'unknown-column'],
    ['a column 0', 'CCO,CC', { column: '0' }, 'unknown-column'],
    [
      'a name the caller says is no header',
      'id,mol\n1,CCO',
      { column: 'mol', header: 'no' },
      'unknown-column',
    ],
    ['too many columns', `${','.repeat(1_000)}CCO`, {}, 'too-many-columns'],
  ])('judges %s', (_, text, given, expected) => {
    expect(summary(judge(text, given))).toBe(expected);
  });

  it('takes the leftmost of the columns with the highest share of molecules, whatever their order', () => {
    const molecule = fc.constantFrom('CC(=O)O', 'c1ccccc1', 'CCCCCC', 'CCO |c:1|');
    const cell = fc.oneof(molecule, fc.constantFrom('C1C', 'c1ccccc', '7', ''));
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 3 }),
        fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 12 }),
        (width, cells) => {
          const rows = cells.map((row) => [...row.slice(0, width), 'end']);
          const shares = Array.from(
            { length: width },
            (_, column) => rows.filter((row) => MOLECULES.has(row[column] ?? '')).length,
          );
          const best = Math.max(...shares);
          fc.pre(best > 0);
          const verdict = judge(rows.map((row) => row.join(',')).join('\n'), { header: 'no' });
          expect(verdict).toMatchObject({ column: { index: shares.indexOf(best) } });
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each<[string, string, Given]>([
    ['a known name appears', 'id,smiles\n1,CCO', {}],
    ['one column and the header is given', 'CCO\nCC', { header: 'no' }],
    ['header and column are given', 'CCO,CC\nCC,C', { header: 'yes', column: '2' }],
    ['the chosen name stands in the header', 'a,b\nCCO,CC', { column: 'b' }],
    ['the column does not exist', 'CCO,CC', { column: 'b' }],
    ['there is nothing', '', {}],
  ])('asks no chemistry when %s', (_, text, { delimiter = 'comma', header = 'auto', column = null }) => {
    const reader = new TableReader(delimiter);
    expect(textsToJudge([...reader.push(text), ...reader.end()], { delimiter, header, column })).toEqual([]);
  });

  it('asks for distinct texts of the three likeliest columns of 1,001 records, without numbers and keys', () => {
    const line = 'BSYNRYMUTXBXSQ-UHFFFAOYSA-N,1.5,vitamin,CC,CN,CO,C,\n';
    const records = new TableReader('comma').push(line.repeat(1_001) + 'CS,CS,CS,CS,CS,CS,CS\n');
    const texts = textsToJudge(records, { delimiter: 'comma', header: 'auto' });
    expect(texts).toEqual(['CC', 'CN', 'CO']);
  });

  it('gives every reason in words', () => {
    expect(judge('mol,id\nCCO,1\nCC,2\nXX,3')).toMatchObject({
      headerBecause: 'the first cell “mol” is no molecule, 2 of 3 others are',
      columnBecause: '2 of its first 4 cells are molecules',
      columnNames: ['mol', 'id'],
      headerLine: 1,
      warning: null,
    });
    expect(judge('smiles,id\nCCO,1')).toMatchObject({
      headerBecause: 'the first line names a column “smiles”',
      columnBecause: 'it is named “smiles”',
    });
  });

  it('warns when no row holds a molecule', () => {
    expect(judge('foo\nbar\nbaz')).toMatchObject({
      warning: 'None of the first 3 rows holds a molecule. Check that column 1 is the SMILES column.',
    });
  });

  it('names the columns there are when the chosen one is not', () => {
    expect(judge('id,smiles\n1,CCO', { column: 'mol' })).toMatchObject({
      message: 'The input has no column “mol”. It has 2: id, smiles.',
    });
  });

  it('names columns beyond the header and leaves trailing delimiters out', () => {
    expect(judge('smiles,\nCCO,1,x,,\n')).toMatchObject({ columnNames: ['smiles', 'column_2', 'column_3'] });
    expect(judge('smiles,id,\nCCO,1,\n')).toMatchObject({ columnNames: ['smiles', 'id'] });
  });
});
