import { knownMolecules } from './known-values.js';

/** A way to write the same molecules as a file, and what the hub must make of it. */
export interface InputForm {
  readonly title: string;
  readonly mediaType: string;
  readonly text: string;
  readonly delimiter: string;
  readonly header: boolean;
  /** The SMILES column, counted from 0. */
  readonly column: number;
  /** Every row that must come back: its SMILES, then the cells that are carried through. */
  readonly rows: readonly (readonly [smiles: string, ...carried: string[]])[];
  readonly counts?: { readonly invalid: number; readonly empty: number; readonly duplicate: number };
  /** Lines with a problem, as a user counts them in the file. */
  readonly problemLines?: readonly number[];
}

const smiles = knownMolecules.map((molecule) => molecule.smiles);
const names = knownMolecules.map(({ name }) => name);
const lines = (end: string, ...all: readonly string[]) => all.map((line) => line + end).join('');
const rowsOf = (carried: (index: number) => readonly string[] = () => []): InputForm['rows'] =>
  smiles.map((molecule, index) => [molecule, ...carried(index)]);
const quoted = (index: number) => `${names[index]}, "lot" ${index}; C${index}`;
const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

const byDelimiters: readonly InputForm[] = [
  {
    title: 'no header, one column',
    mediaType: 'text/csv',
    text: lines('\n', ...smiles),
    delimiter: 'none',
    header: false,
    column: 0,
    rows: rowsOf(),
  },
  {
    title: 'header, two columns and CRLF',
    mediaType: 'text/csv',
    text: lines('\r\n', 'title,structure', ...smiles.map((molecule, index) => `${names[index]},${molecule}`)),
    delimiter: 'comma',
    header: true,
    column: 1,
    rows: rowsOf((index) => [names[index]!]),
  },
  {
    title: 'no header, two columns and CRLF, the last line not ended',
    mediaType: 'text/csv',
    text: lines('\r\n', ...smiles.map((molecule, index) => `${molecule},${index + 1}`)).trimEnd(),
    delimiter: 'comma',
    header: false,
    column: 0,
    rows: rowsOf((index) => [String(index + 1)]),
  },
  {
    title: 'byte-order mark and semicolons',
    mediaType: 'text/csv',
    text: `\uFEFF${lines('\n', 'nr;smiles;mass', ...smiles.map((molecule, index) => `${index};${molecule};1,5`))}`,
    delimiter: 'semicolon',
    header: true,
    column: 1,
    rows: rowsOf((index) => [String(index), '1,5']),
  },
  {
    title: 'tabs and a header that nobody knows',
    mediaType: 'text/tab-separated-values',
    text: lines('\n', 'Verbindung\tNr', ...smiles.map((molecule, index) => `${molecule}\tNr ${index}, alt`)),
    delimiter: 'tab',
    header: true,
    column: 0,
    rows: rowsOf((index) => [`Nr ${index}, alt`]),
  },
];

const byContent: readonly InputForm[] = [
  {
    title: 'quoted commas, quotes and semicolons',
    mediaType: 'text/csv',
    text: lines(
      '\n',
      'name,smiles',
      ...smiles.map((molecule, index) => `${quote(quoted(index))},${quote(molecule)}`),
    ),
    delimiter: 'comma',
    header: true,
    column: 1,
    rows: rowsOf((index) => [quoted(index)]),
  },
  {
    title: 'quoted line breaks',
    mediaType: 'text/csv',
    text: lines(
      '\n',
      'smiles,note',
      ...smiles.map((molecule, index) => `${molecule},"first ${index}\nsecond"`),
    ),
    delimiter: 'comma',
    header: true,
    column: 0,
    rows: rowsOf((index) => [`first ${index}\nsecond`]),
  },
  {
    title: '.smi with names',
    mediaType: 'chemical/x-daylight-smiles',
    text: lines('\n', ...smiles.map((molecule, index) => `${molecule} ${names[index]} of lot ${index}`)),
    delimiter: 'blank',
    header: false,
    column: 0,
    rows: rowsOf((index) => [`${names[index]} of lot ${index}`]),
  },
  {
    title: 'invalid, empty and repeated rows',
    mediaType: 'text/csv',
    text: lines('\n', 'smiles,id', ...smiles.map((molecule, index) => `${molecule},${index}`)).concat(
      lines('\n', 'c1ccccc,bad', ',nothing', `${smiles[0]},again`),
    ),
    delimiter: 'comma',
    header: true,
    column: 0,
    rows: [...rowsOf((index) => [String(index)]), ['c1ccccc', 'bad'], ['', 'nothing'], [smiles[0]!, 'again']],
    counts: { invalid: 1, empty: 1, duplicate: 1 },
    problemLines: [7, 8, 9],
  },
];

/** The forms that real files have. */
export const inputForms: readonly InputForm[] = [...byDelimiters, ...byContent];
