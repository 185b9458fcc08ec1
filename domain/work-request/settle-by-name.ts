import { isInchiKey, shorten, smilesNameRank } from './cell-text.js';
import type { InputChoice } from './input-verdict.js';
import type { SampleView } from './view-sample.js';

/** What names and the caller's choice decide without chemistry; null where they do not. */
export interface SettledByName {
  readonly header: { readonly is: boolean; readonly because: string } | null;
  readonly column: { readonly index: number; readonly because: string } | null;
}

/** Settles header and column as far as names reach. Null if the caller chose a column that does not exist. */
export function settleByName(view: SampleView, choice: InputChoice): SettledByName | null {
  const chosen = findChosen(view, choice);
  if (chosen === 'unknown') return null;
  const known = view.first.findIndex((cell) => smilesNameRank(cell) !== -1);
  return {
    header: settleHeader(view, choice, known, chosen?.namesHeader ?? false),
    column: chosen ?? (choice.header === 'no' ? null : findNamed(view)) ?? onlyColumn(view),
  };
}

/** The sentence for a chosen column that does not exist. */
export function unknownColumn(view: SampleView, choice: InputChoice): string {
  const names = choice.header === 'no' ? view.plainNames : view.headerNames;
  const listed = names.slice(0, 20).map(shorten).join(', ');
  return `The input has no column “${shorten(String(choice.column))}”. It has ${view.width}: ${listed}${names.length > 20 ? ', …' : ''}.`;
}

function settleHeader(view: SampleView, choice: InputChoice, known: number, namesHeader: boolean) {
  if (choice.header !== 'auto') return { is: choice.header === 'yes', because: 'said by the caller' };
  if (known !== -1)
    return { is: true, because: `the first line names a column “${view.first[known]?.trim()}”` };
  if (namesHeader) return { is: true, because: 'the first line holds the column name the caller chose' };
  return null;
}

function findChosen(view: SampleView, { column, header }: InputChoice) {
  if (column === null || column === undefined || column === '') return null;
  const because = 'chosen by the caller';
  const wanted = typeof column === 'number' ? '' : column.trim().toLowerCase();
  const inHeader = wanted === '' || header === 'no' ? -1 : indexOfName(view.first, wanted);
  if (inHeader !== -1) return { index: inHeader, because, namesHeader: true };
  const index = typeof column === 'number' ? column : plainIndex(view, wanted);
  return exists(view, index) ? { index, because, namesHeader: false } : 'unknown';
}

/** By a name that the hub gives (`column_2`), or by a number counted from 1. */
function plainIndex(view: SampleView, wanted: string): number {
  const named = indexOfName(view.plainNames, wanted);
  return named === -1 && /^\d{1,6}$/.test(wanted) ? Number(wanted) - 1 : named;
}

function indexOfName(names: readonly string[], wanted: string): number {
  return names.findIndex((name) => name.trim().toLowerCase() === wanted);
}

function exists(view: SampleView, index: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < view.width;
}

/** The column with the best known name whose cells are not InChIKeys; of equal names the left one. */
function findNamed(view: SampleView) {
  const [best] = view.first
    .map((name, index) => ({ name: name.trim(), index, rank: smilesNameRank(name) }))
    .filter(({ index, rank }) => rank !== -1 && !holdsInchiKeys(view, index))
    .sort((left, right) => left.rank - right.rank);
  return best === undefined ? null : { index: best.index, because: `it is named “${best.name}”` };
}

function holdsInchiKeys(view: SampleView, column: number): boolean {
  const filled = view.others.map((row) => row[column]?.trim() ?? '').filter((cell) => cell !== '');
  return filled.filter(isInchiKey).length * 2 > filled.length;
}

function onlyColumn(view: SampleView) {
  return view.width === 1 ? { index: 0, because: 'it is the only column' } : null;
}
