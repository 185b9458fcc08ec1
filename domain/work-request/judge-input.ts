import { isInchiKey, isPlainNumber, looksLikeSmiles, shorten } from './cell-text.js';
import { MAX_INPUT_COLUMNS } from './limits.js';
import type { InputChoice, InputRefusal, InputVerdict } from './input-verdict.js';
import type { TableRecord } from './record-queue.js';
import { settleByName, unknownColumn } from './settle-by-name.js';
import type { SettledByName } from './settle-by-name.js';
import { viewSample } from './view-sample.js';
import type { SampleView } from './view-sample.js';

type Rows = readonly (readonly string[])[];

/** Columns shown to chemistry at most: those whose texts look most like SMILES. */
const MAX_ASKED_COLUMNS = 3;

/** Flags (`N`), atom names (`Cl`) and codes (`CN`) are valid SMILES by accident: texts so short on average may be such. */
const FLAG_LENGTH = 2;

/** A column with at least this part of the best share may prove that a shorter one is flags, */
const NEAR_BEST = 0.8;

/** if the texts of the shorter one have less than this part of its length. */
const FLAG_PART = 0.5;

/**
 * The distinct texts whose validity `judgeInput` will ask for, about 3,000 at most: ask chemistry once for all of them. Empty
 * if names or the caller's choice settle everything. Takes the first 1,001 records of the input, or all it has.
 */
export function textsToJudge(records: readonly TableRecord[], choice: InputChoice): string[] {
  const view = viewSample(records, choice.delimiter);
  if (view === null || view.width > MAX_INPUT_COLUMNS) return [];
  const settled = settleByName(view, choice);
  if (settled === null || isSettled(settled)) return [];
  return [...judgedTexts(view, settled)];
}

/**
 * Judges header and SMILES column of an input by its first 1,001 records (or all it has).
 * - Nothing but blank lines is refused as `empty`, a header without a row as `header-only`.
 * - Header, if not given: a known column name appears in the first record that is not blank, or the first cell of the
 *   SMILES column is no molecule while more than half of the others are. An empty first cell proves nothing.
 * - Column, if not chosen: a known name (unless it holds InChIKeys), else the highest share of valid SMILES, of equal
 *   shares the left one. Only a column of flags gives way, to one of much longer SMILES that is nearly as valid: a few
 *   bad molecules must not hand the rows over to `N` and `Cl`. Shares are taken of the three columns whose characters
 *   look most like SMILES.
 * - One record alone is a row, unless it has a known name. If nothing is valid there is no header, the first column of
 *   text is taken and a warning says so.
 * `isMolecule` is asked for texts of `textsToJudge` only.
 */
export function judgeInput(
  records: readonly TableRecord[],
  choice: InputChoice,
  isMolecule: (text: string) => boolean,
): InputVerdict | InputRefusal {
  const view = viewSample(records, choice.delimiter);
  if (view === null) return refuse('empty', 'The input holds no row. Give at least one molecule.');
  if (view.width > MAX_INPUT_COLUMNS) return refuseWidth(view);
  const settled = settleByName(view, choice);
  if (settled === null) return refuse('unknown-column', unknownColumn(view, choice));
  const verdict = decide(view, settled, choice, isMolecule);
  if (!verdict.header || view.others.length > 0) return verdict;
  return refuse(
    'header-only',
    `The input holds a header (line ${view.firstLine}) and no row. Give at least one molecule.`,
  );
}

function decide(
  view: SampleView,
  settled: SettledByName,
  choice: InputChoice,
  lookUp: (text: string) => boolean,
): InputVerdict {
  const asked = isSettled(settled) ? new Set<string>() : judgedTexts(view, settled);
  const isMolecule = (text: string) => asked.has(text) && lookUp(text);
  const rows = judgedRows(view, settled);
  const column = settled.column ?? columnByChemistry(view.width, rows, isMolecule);
  const header = settled.header ?? headerByChemistry(view, column.index, isMolecule);
  const columnNames = header.is ? view.headerNames : view.plainNames;
  const isDoubtful = !isSettled(settled) && !rows.some((row) => isMolecule(row[column.index]?.trim() ?? ''));
  return {
    ok: true,
    delimiter: choice.delimiter,
    header: header.is,
    headerBecause: header.because,
    headerLine: header.is ? view.firstLine : null,
    column: { index: column.index, name: columnNames[column.index] ?? '' },
    columnBecause: column.because,
    columnNames,
    warning: isDoubtful ? noMolecules(rows.length, column.index) : null,
  };
}

function headerByChemistry(view: SampleView, column: number, isMolecule: (text: string) => boolean) {
  const first = view.first[column]?.trim() ?? '';
  const others = view.others.map((row) => row[column]?.trim() ?? '').filter((text) => text !== '');
  const valid = others.filter(isMolecule).length;
  if (first === '') return { is: false, because: 'the first cell of the SMILES column is empty' };
  if (isMolecule(first)) return { is: false, because: `the first cell “${shorten(first)}” is a molecule` };
  if (valid * 2 > others.length)
    return {
      is: true,
      because: `the first cell “${shorten(first)}” is no molecule, ${valid} of ${others.length} others are`,
    };
  return { is: false, because: 'no known column name, and too few molecules to tell a header from a row' };
}

function columnByChemistry(width: number, rows: Rows, isMolecule: (text: string) => boolean) {
  const scores = likelyColumns(width, rows).map((index) => {
    const valid = rows.map((row) => row[index]?.trim() ?? '').filter(isMolecule);
    const length = valid.reduce((sum, text) => sum + text.length, 0);
    return { index, count: valid.length, meanLength: length / Math.max(1, valid.length) };
  });
  const mostValid = scores.reduce((most, { count }) => Math.max(most, count), 0);
  const near = scores.filter(({ count }) => count > 0 && count >= mostValid * NEAR_BEST);
  const longest = near.reduce((most, { meanLength }) => Math.max(most, meanLength), 0);
  const isFlags = (length: number) => length <= FLAG_LENGTH && length < longest * FLAG_PART;
  const [best] = near
    .filter(({ meanLength }) => !isFlags(meanLength))
    .sort((left, right) => right.count - left.count || left.index - right.index);
  if (best === undefined) return firstTextColumn(width, rows);
  return { index: best.index, because: `${best.count} of its first ${rows.length} cells are molecules` };
}

function firstTextColumn(width: number, rows: Rows) {
  const isText = (cell: string) => cell !== '' && !isPlainNumber(cell) && !isInchiKey(cell);
  const found = countByColumn(width, rows, isText).findIndex((count) => count * 2 > rows.length);
  const because = 'no column holds molecules, so the first column of text was taken';
  return { index: Math.max(0, found), because };
}

/** The rows to judge: a record known to be a header is none. */
function judgedRows(view: SampleView, settled: SettledByName): Rows {
  return settled.header?.is === true ? view.others : [view.first, ...view.others];
}

function judgedTexts(view: SampleView, settled: SettledByName): Set<string> {
  const rows = judgedRows(view, settled);
  const columns = settled.column === null ? likelyColumns(view.width, rows) : [settled.column.index];
  const texts = rows.flatMap((row) => columns.map((column) => row[column]?.trim() ?? ''));
  return new Set(texts.filter(looksLikeSmiles));
}

/** The columns most like SMILES by their characters, best first; of equal ones the left. */
function likelyColumns(width: number, rows: Rows): number[] {
  return countByColumn(width, rows, looksLikeSmiles)
    .map((count, index) => ({ count, index }))
    .filter(({ count }) => count > 0)
    .sort((left, right) => right.count - left.count || left.index - right.index)
    .slice(0, MAX_ASKED_COLUMNS)
    .map(({ index }) => index);
}

function countByColumn(width: number, rows: Rows, counts: (cell: string) => boolean): number[] {
  const found = Array.from({ length: width }, () => 0);
  for (const row of rows)
    row.slice(0, width).forEach((cell, column) => {
      if (counts(cell.trim())) found[column] = (found[column] ?? 0) + 1;
    });
  return found;
}

function noMolecules(rowCount: number, column: number): string {
  return `None of the first ${rowCount} rows holds a molecule. Check that column ${column + 1} is the SMILES column.`;
}

function isSettled({ header, column }: SettledByName): boolean {
  return header !== null && column !== null;
}

function refuseWidth(view: SampleView): InputRefusal {
  const message = `The input has ${view.width} columns, more than ${MAX_INPUT_COLUMNS}. Check its delimiter, or send fewer columns.`;
  return refuse('too-many-columns', message);
}

function refuse(code: InputRefusal['code'], message: string): InputRefusal {
  return { ok: false, code, message };
}
