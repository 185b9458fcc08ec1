import { MAX_ANSWER_VALUES } from './limits.js';
import type { Cell, RowStatus, ShardResult } from './shard-content.js';

/** What to send to a model: each distinct valid SMILES once. */
export interface ModelInput {
  readonly texts: readonly string[];
  /** Per row of the shard: the position of its text among `texts`, or null if the row is not sent. */
  readonly textOfRow: readonly (number | null)[];
}

/** A model's answer and what is known of the rows it is for. */
export interface ShardAnswer {
  readonly input: ModelInput;
  /** InChIKey per row, null where there is none. */
  readonly keys: readonly (string | null)[];
  /** The model's answer as parsed: a list with one record (or null) per sent text. */
  readonly answer: unknown;
  /** The columns the model declares, in its order, or null: then those of its records as they come. */
  readonly columns: readonly string[] | null;
}

/** The result, with the names of values that no declared column takes; or what is wrong with the answer. */
export type AssembledShard =
  | { readonly ok: true; readonly result: ShardResult; readonly ignored: readonly string[] }
  | { readonly ok: false; readonly problem: string };

type ModelRecord = Readonly<Record<string, unknown>>;

/** Plans the call for a shard: rows that are no molecule are left out, equal texts are sent once. */
export function planModelInput(smiles: readonly string[], valid: readonly boolean[]): ModelInput {
  const positions = new Map<string, number>();
  const textOfRow = smiles.map((text, row) => {
    if (text === '' || valid[row] !== true) return null;
    const position = positions.get(text) ?? positions.size;
    positions.set(text, position);
    return position;
  });
  return { texts: [...positions.keys()], textOfRow };
}

/**
 * Turns a model's answer into the result of a shard: one entry per row, values by column name. A missing value is null,
 * nested ones become JSON text, numbers that are not finite become null; a null record makes its rows `failed`.
 */
export function assembleShardResult({ input, keys, answer, columns: declared }: ShardAnswer): AssembledShard {
  const count = input.texts.length;
  if (!Array.isArray(answer)) return problem(`${describe(answer)} instead of a list of ${count} records`);
  if (answer.length !== count) return problem(`${answer.length} records for ${count} molecules`);
  const wrong = answer.findIndex((record) => record !== null && !isRecord(record));
  if (wrong !== -1)
    return problem(`${describe(answer[wrong])} instead of a record at position ${wrong + 1} of ${count}`);
  const records = answer as readonly (ModelRecord | null)[];
  const found = namesOf(records);
  if (found === null) return problem('records whose names differ so much that they make no table');
  const columns = declared ?? found;
  const known = new Set(columns);
  const ignored = found.filter((name) => !known.has(name));
  if (found.length > 0 && ignored.length === found.length)
    return problem(`none of its declared columns, but ${listed(found)} instead of ${listed(columns)}`);
  const cells = records.map((record) =>
    record === null ? null : columns.map((name) => toCell(own(record, name))),
  );
  const rows = input.textOfRow.map((position) => (position === null ? null : (cells[position] ?? null)));
  const status = input.textOfRow.map((position, row): RowStatus => {
    if (position === null) return 'invalid';
    return rows[row] === null ? 'failed' : 'ok';
  });
  return { ok: true, result: { columns, rows, keys, status }, ignored };
}

/** The result of rows that were not computed. */
export function unansweredShard(
  rowCount: number,
  status: RowStatus,
  columns: readonly string[] = [],
): ShardResult {
  return {
    columns,
    rows: Array.from({ length: rowCount }, () => null),
    keys: Array.from({ length: rowCount }, () => null),
    status: Array.from({ length: rowCount }, () => status),
  };
}

/** Names in order of first appearance, or null if the table they make would be far larger than the answer. */
function namesOf(records: readonly (ModelRecord | null)[]): string[] | null {
  const names = new Set<string>();
  for (const record of records) {
    if (record !== null) for (const name of Object.keys(record)) names.add(name);
    if (names.size * records.length > MAX_ANSWER_VALUES) return null;
  }
  return [...names];
}

function own(record: ModelRecord, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : null;
}

function toCell(value: unknown): Cell {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return value === null || value === undefined ? null : (JSON.stringify(value) ?? null);
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a single record' : `a ${typeof value}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

function problem(answered: string): AssembledShard {
  return {
    ok: false,
    problem: `the model answered ${answered}`,
  };
}
