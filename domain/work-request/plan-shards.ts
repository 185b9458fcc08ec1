import { SHARD_MAX_INPUT_BYTES, SHARD_MAX_ROWS, SHARD_MAX_VALUES } from './limits.js';

/** A run of rows handled in one call. `firstRow` counts rows of the request from 0, without the header. */
export interface PlannedShard {
  readonly shardNo: number;
  readonly firstRow: number;
  readonly rows: readonly (readonly string[])[];
  /** UTF-8 bytes of the cells, one more per cell for what separates them. */
  readonly inputBytes: number;
}

/** The answer to one more row: perhaps a finished shard, or the row's refusal with its size. */
export type PlannedRow =
  | { readonly ok: true; readonly shard: PlannedShard | null }
  | { readonly ok: false; readonly message: string };

/**
 * Cuts rows into shards of at most 1,000 rows, 256 KiB of input and 200,000 values (rows times the model's columns),
 * holding no more than one shard. Every accepted row is in exactly one shard, in order, and shards follow each other
 * without a gap. A model of more than 200,000 columns gets shards of one row.
 */
export class ShardPlanner {
  readonly #maxRows: number;
  #rows: (readonly string[])[] = [];
  #bytes = 0;
  #shardNo = 0;
  #firstRow = 0;

  /** `modelColumnCount`: null when the model has not declared its columns; then values are not counted. */
  constructor(modelColumnCount: number | null) {
    const rowsByValues = Math.floor(SHARD_MAX_VALUES / Math.max(1, modelColumnCount ?? 1));
    this.#maxRows = Math.max(1, Math.min(SHARD_MAX_ROWS, rowsByValues));
  }

  /** Takes the next row. A row larger than a whole shard is refused and not counted. */
  add(row: readonly string[]): PlannedRow {
    const bytes = rowBytes(row);
    if (bytes > SHARD_MAX_INPUT_BYTES)
      return {
        ok: false,
        message: `the row has ${bytes} bytes, more than ${SHARD_MAX_INPUT_BYTES}; shorten its cells`,
      };
    const full = this.#bytes + bytes > SHARD_MAX_INPUT_BYTES ? this.end() : null;
    this.#rows.push(row);
    this.#bytes += bytes;
    if (full !== null || this.#rows.length < this.#maxRows) return { ok: true, shard: full };
    return { ok: true, shard: this.end() };
  }

  /** The rows are over: the last shard, or null if no row is left. */
  end(): PlannedShard | null {
    if (this.#rows.length === 0) return null;
    const shard = {
      shardNo: this.#shardNo,
      firstRow: this.#firstRow,
      rows: this.#rows,
      inputBytes: this.#bytes,
    };
    this.#shardNo++;
    this.#firstRow += this.#rows.length;
    this.#rows = [];
    this.#bytes = 0;
    return shard;
  }
}

/** UTF-8 bytes of a row's cells, one more per cell. */
export function rowBytes(row: readonly string[]): number {
  return row.reduce((bytes, cell) => bytes + utf8Bytes(cell) + 1, 0);
}

/** UTF-8 bytes of a text; half of a surrogate pair counts as its replacement character, 3 bytes. */
function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    bytes += code < 0x800 || isPairHalf(text, at) ? 1 : 2;
  }
  return bytes;
}

/** True for either half of a complete surrogate pair: 2 units, 4 bytes. */
function isPairHalf(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code >= 0xd800 && code <= 0xdbff) return isLow(text.charCodeAt(at + 1));
  return isLow(code) && isHigh(text.charCodeAt(at - 1));
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
