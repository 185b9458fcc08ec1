import type { Cell, ShardInput, ShardResult } from './shard-content.js';

/** What a result table is made of. `smilesIndex` counts input columns from 0. */
export interface ResultTableParts {
  readonly columnNames: readonly string[];
  readonly smilesIndex: number;
  readonly modelColumns: readonly string[];
}

/** A result table: its column names, all different, and where each value comes from. */
export interface ResultTable {
  readonly columns: readonly string[];
  readonly smilesIndex: number;
  /** Input columns carried through, by position. */
  readonly carried: readonly number[];
  /** The model's columns by the names it gives them. */
  readonly modelColumns: readonly string[];
}

const FIRST_COLUMNS = ['key', 'input'] as const;
const LAST_COLUMN = 'status';

/**
 * Lays out the result: key (InChIKey), input, carried-through columns, the model's columns in its order, status. The
 * model's names never depend on the input: a carried column named like one of ours or the model's becomes
 * `input_<name>`. A model's column named like ours becomes `model_<name>`. Names that still occur twice get `_2`, `_3`.
 */
export function planResultTable({ columnNames, smilesIndex, modelColumns }: ResultTableParts): ResultTable {
  const taken = new Set<string>([...FIRST_COLUMNS, LAST_COLUMN]);
  const modelNames = modelColumns.map((name) => take(name, 'model_', taken));
  const carried = columnNames.map((_, index) => index).filter((index) => index !== smilesIndex);
  const ours = new Set(taken);
  const carriedNames = carried.map((index) => {
    const name = columnNames[index] ?? '';
    return take(ours.has(name) ? `input_${name}` : name, '', taken);
  });
  return {
    columns: [...FIRST_COLUMNS, ...carriedNames, ...modelNames, LAST_COLUMN],
    smilesIndex,
    carried,
    modelColumns,
  };
}

/** The columns of several shards as one list, in order of first appearance; for models that do not declare theirs. */
export function mergeColumns(shards: Iterable<readonly string[]>): string[] {
  const names = new Set<string>();
  for (const columns of shards) for (const name of columns) names.add(name);
  return [...names];
}

/** The rows of a shard in the table's columns. Without a result its rows are `not_run`. */
export function* resultRows(
  table: ResultTable,
  input: ShardInput,
  result: ShardResult | null,
): Generator<Cell[]> {
  const places = modelPlaces(table, result);
  for (const [index, row] of input.rows.entries()) {
    const values = result?.rows[index] ?? [];
    yield [
      result?.keys[index] ?? null,
      row[table.smilesIndex] ?? '',
      ...table.carried.map((column) => row[column] ?? ''),
      ...places.map((place) => values[place] ?? null),
      result?.status[index] ?? 'not_run',
    ];
  }
}

/** Where each of the table's model columns stands in the shard's rows; -1 where the shard lacks it. */
function modelPlaces(table: ResultTable, result: ShardResult | null): number[] {
  const places = new Map(result?.columns.map((name, index) => [name, index]));
  return table.modelColumns.map((name) => places.get(name) ?? -1);
}

function take(name: string, prefix: string, taken: Set<string>): string {
  const wanted = taken.has(name) ? `${prefix}${name}` : name;
  let free = wanted;
  for (let number = 2; taken.has(free); number++) free = `${wanted}_${number}`;
  taken.add(free);
  return free;
}
