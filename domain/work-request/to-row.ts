import type { InputVerdict } from './input-verdict.js';
import { delimiterText } from './delimiters.js';
import type { TableRecord } from './record-queue.js';

/**
 * The row of a record, as it is stored: at most one cell per column of the verdict (missing ones at the end are empty),
 * the SMILES without blanks around it, everything else untouched. Null for the header and blank lines before it.
 * Text beyond the last column is kept in the last column, with its delimiters; where that is the SMILES column the row
 * becomes visibly invalid instead of losing text.
 */
export function toRow(record: TableRecord, verdict: InputVerdict): string[] | null {
  if (verdict.headerLine !== null && record.line <= verdict.headerLine) return null;
  const width = verdict.columnNames.length;
  const row = record.cells.slice(0, width);
  const filled = record.cells.findLastIndex((cell) => cell.trim() !== '') + 1;
  const beyond = record.cells.slice(width, filled);
  if (beyond.length > 0) row[width - 1] = [row[width - 1], ...beyond].join(delimiterText[verdict.delimiter]);
  const smiles = row[verdict.column.index];
  if (smiles !== undefined) row[verdict.column.index] = smiles.trim();
  return row;
}
