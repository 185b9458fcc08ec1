import { JUDGED_ROWS } from './limits.js';
import type { Delimiter } from './delimiters.js';
import type { TableRecord } from './record-queue.js';

/** The first records of an input as judging needs them; the first one may be a header. */
export interface SampleView {
  /** First record that is not blank. */
  readonly first: readonly string[];
  /** Its line. */
  readonly firstLine: number;
  /** The records after it, at most 1,000. */
  readonly others: readonly (readonly string[])[];
  readonly width: number;
  /** Column names if the first record is a header: its cells, `column_<n>` where it has none. */
  readonly headerNames: readonly string[];
  /** Column names if it is not: `column_<n>`, or `smiles` and `name` for SMILES lines. */
  readonly plainNames: readonly string[];
}

/** Looks at the first records; null if all of them are blank. Empty cells at the end of a record make no column. */
export function viewSample(records: readonly TableRecord[], delimiter: Delimiter): SampleView | null {
  const at = records.findIndex(({ cells }) => filledWidth(cells) > 0);
  const head = records[at];
  if (head === undefined) return null;
  const others = records.slice(at + 1, at + 1 + JUDGED_ROWS).map(({ cells }) => cells);
  const width = [head.cells, ...others].reduce((most, cells) => Math.max(most, filledWidth(cells)), 0);
  const numbered = Array.from({ length: width }, (_, index) => `column_${index + 1}`);
  return {
    first: head.cells,
    firstLine: head.line,
    others,
    width,
    headerNames: numbered.map((name, index) => head.cells[index]?.trim() || name),
    plainNames: delimiter === 'blank' ? ['smiles', 'name'].slice(0, width) : numbered,
  };
}

/** Number of cells up to the last one that is not blank. */
function filledWidth(cells: readonly string[]): number {
  return cells.findLastIndex((cell) => cell.trim() !== '') + 1;
}
