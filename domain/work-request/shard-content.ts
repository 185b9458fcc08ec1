/** A value as a result holds it. Text, finite numbers, true or false; null is missing. */
export type Cell = string | number | boolean | null;

/** What became of a row: computed; no molecule; the model had no answer for it; not computed (yet). */
export const rowStatuses = ['ok', 'invalid', 'failed', 'not_run'] as const;
export type RowStatus = (typeof rowStatuses)[number];

/** The rows of a shard as sent; a missing cell at the end is empty. Names and SMILES column stand on the request. */
export interface ShardInput {
  readonly rows: readonly (readonly string[])[];
}

/** The answers to a shard's rows, in order; all lists but `columns` are as long as its input. */
export interface ShardResult {
  readonly columns: readonly string[];
  /** Values by column; null where the model gave none. */
  readonly rows: readonly (readonly Cell[] | null)[];
  /** InChIKeys. */
  readonly keys: readonly (string | null)[];
  readonly status: readonly RowStatus[];
}

/** A shard's input as text for storage. */
export function writeShardInput(input: ShardInput): string {
  return JSON.stringify({ rows: input.rows });
}

/** @throws Error if the text was not written by `writeShardInput`: the stored shard is damaged. */
export function readShardInput(text: string): ShardInput {
  const { rows } = parse(text, 'input');
  if (Array.isArray(rows) && rows.every(Array.isArray)) return { rows };
  throw damaged('input', 'it has no list of rows');
}

/** A shard's result as text for storage: columns once, rows as lists. */
export function writeShardResult({ columns, rows, keys, status }: ShardResult): string {
  return JSON.stringify({ columns, rows, keys, status });
}

/** @throws Error if the text was not written by `writeShardResult`: the stored shard is damaged. */
export function readShardResult(text: string): ShardResult {
  const { columns, rows, keys, status } = parse(text, 'result');
  const lists = [columns, rows, keys, status];
  if (!lists.every(Array.isArray)) throw damaged('result', 'a list is missing');
  const result = { columns, rows, keys, status } as ShardResult;
  if (result.keys.length === result.rows.length && result.status.length === result.rows.length) return result;
  throw damaged('result', 'its lists differ in length');
}

function parse(text: string, part: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(part, error instanceof Error ? error.message : String(error));
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw damaged(part, 'it is no object');
}

function damaged(part: string, because: string): Error {
  return new Error(`reading the stored ${part} of a shard: ${because}; compute the shard again`);
}
