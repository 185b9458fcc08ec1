import { neutraliseFormula } from './neutralise-formula.js';
import type { ResultTable } from './plan-result-table.js';
import { resultRows } from './plan-result-table.js';
import type { Cell, ShardInput, ShardResult } from './shard-content.js';

/** Formats of a result that are text. */
export const resultFormats = ['csv', 'tsv', 'json', 'ndjson'] as const;
export type ResultFormat = (typeof resultFormats)[number];

/** `byteOrderMark`: put one first, so that spreadsheets take CSV or TSV for UTF-8. */
export interface WriteOptions {
  readonly byteOrderMark?: boolean;
}

/** Writes a table in order: `head` once, `row` for each row, `tail` once; together they are the file. */
export interface ResultWriter {
  readonly head: string;
  row(cells: readonly Cell[]): string;
  readonly tail: string;
}

interface Dialect {
  readonly delimiter: string;
  readonly lineEnd: string;
  /** A cell must be quoted if it holds one of these. A bar is among them: it may protect a delimiter when read. */
  readonly quoteFor: RegExp;
}

/** CRLF because RFC 4180 says so; tab-separated values have no such rule and get the line end of their tools. */
const DIALECTS: Readonly<Record<'csv' | 'tsv', Dialect>> = {
  csv: { delimiter: ',', lineEnd: '\r\n', quoteFor: /[",\r\n|\uFEFF]/ },
  tsv: { delimiter: '\t', lineEnd: '\n', quoteFor: /["\t\r\n|\uFEFF]/ },
};

const BYTE_ORDER_MARK = '\uFEFF';

/**
 * A writer for a table with these columns.
 * - CSV, TSV: quoted as RFC 4180 says, point decimals, empty for missing, `true`/`false`; texts that a spreadsheet would
 *   run are neutralised (`neutraliseFormula`), numbers never.
 * - JSON: a list of objects; NDJSON: an object per line; the names are the columns, in order, and texts are as they are.
 */
export function createResultWriter(
  format: ResultFormat,
  columns: readonly string[],
  options: WriteOptions = {},
): ResultWriter {
  if (format === 'json' || format === 'ndjson') return objectWriter(format, columns);
  const dialect = DIALECTS[format];
  const line = (cells: readonly Cell[]) => delimitedLine(cells, dialect) + dialect.lineEnd;
  return { head: (options.byteOrderMark ? BYTE_ORDER_MARK : '') + line(columns), row: line, tail: '' };
}

/** A shard's rows in the writer's format. */
export function writeShard(
  writer: ResultWriter,
  table: ResultTable,
  input: ShardInput,
  result: ShardResult | null,
): string {
  let text = '';
  for (const cells of resultRows(table, input, result)) text += writer.row(cells);
  return text;
}

/** One record of the contract's CSV result: a line of the CSV table without its line end. */
export function toContractCsv(cells: readonly Cell[]): string {
  return delimitedLine(cells, DIALECTS.csv);
}

/** One record of the contract's JSON result. */
export function toResultObject(columns: readonly string[], cells: readonly Cell[]): Record<string, Cell> {
  return Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? null]));
}

function objectWriter(format: 'json' | 'ndjson', columns: readonly string[]): ResultWriter {
  const names = columns.map((name) => JSON.stringify(name));
  const text = (cells: readonly Cell[]) =>
    `{${names.map((name, index) => `${name}:${JSON.stringify(cells[index] ?? null)}`).join(',')}}`;
  if (format === 'ndjson') return { head: '', row: (cells) => `${text(cells)}\n`, tail: '' };
  let before = '\n';
  const row = (cells: readonly Cell[]) => {
    const written = before + text(cells);
    before = ',\n';
    return written;
  };
  return { head: '[', row, tail: '\n]\n' };
}

function delimitedLine(cells: readonly Cell[], dialect: Dialect): string {
  const line = cells.map((cell) => delimitedCell(cell, dialect)).join(dialect.delimiter);
  // An empty line would be taken for no row, so a lone blank cell is quoted.
  return line.trim() === '' && cells.length === 1 ? `"${line}"` : line;
}

function delimitedCell(cell: Cell, dialect: Dialect): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const text = neutraliseFormula(cell);
  return dialect.quoteFor.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
