import { delimiterText, type Delimiter } from '../../domain/work-request/delimiters.js';

/** The parts of a stored input that its lines are made of. */
export interface StoredInput {
  readonly delimiter: Delimiter;
  readonly hasHeader: boolean;
  readonly columnNames: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * The lines of an input, the header first if there is one, as a client may send them again: reading them gives the
 * same rows. Blanks and quotes that carried no meaning are not kept.
 */
export function inputLines({ delimiter, hasHeader, columnNames, rows }: StoredInput): string[] {
  const lines = rows.map((row) => toLine(row, delimiter));
  return hasHeader ? [toLine(columnNames, delimiter), ...lines] : lines;
}

function toLine(cells: readonly string[], delimiter: Delimiter): string {
  if (delimiter === 'blank') return cells.join(' ');
  const separator = delimiterText[delimiter];
  return cells.map((cell) => toCell(cell, separator)).join(separator);
}

function toCell(cell: string, separator: string): string {
  const mustQuote = /["\r\n]/.test(cell) || (separator !== '' && cell.includes(separator));
  return mustQuote ? `"${cell.replaceAll('"', '""')}"` : cell;
}
