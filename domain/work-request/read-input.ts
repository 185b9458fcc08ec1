import type { Delimiter } from './delimiters.js';
import { detectFormat } from './detect-format.js';
import { JUDGED_CHARACTERS } from './limits.js';
import { TableReader } from './read-table.js';
import type { TableRecord } from './record-queue.js';

/** `hint`: media type, or a delimiter by name or character. Records beyond `maxRecords` are only counted. */
export interface InputReaderOptions {
  readonly hint?: string | null;
  readonly maxRecords: number;
}

/**
 * Reads an input whose delimiter is not known yet: holds text back until there is enough to decide, then reads. The
 * decision falls on the same characters however the text is cut into pieces.
 */
export class InputReader {
  readonly #options: InputReaderOptions;
  #held = '';
  #table: { readonly delimiter: Delimiter; readonly reader: TableReader } | null = null;

  constructor(options: InputReaderOptions) {
    this.#options = options;
  }

  /** The delimiter once it is decided: before the first record is returned, at the end at the latest. */
  get delimiter(): Delimiter {
    return this.#table?.delimiter ?? 'none';
  }

  /** Records that were seen and not returned because there were too many. */
  get droppedCount(): number {
    return Math.max(0, (this.#table?.reader.recordCount ?? 0) - this.#options.maxRecords);
  }

  push(text: string): TableRecord[] {
    if (this.#table !== null) return this.#table.reader.push(text);
    this.#held += text;
    return this.#held.length < JUDGED_CHARACTERS ? [] : this.#open(false).push(this.#takeHeld());
  }

  end(): TableRecord[] {
    const reader = this.#table?.reader ?? this.#open(true);
    return [...reader.push(this.#takeHeld()), ...reader.end()];
  }

  #open(isAll: boolean): TableReader {
    const sample = this.#held.slice(0, JUDGED_CHARACTERS);
    const { delimiter } = detectFormat(sample, { hint: this.#options.hint ?? null, complete: isAll });
    const reader = new TableReader(delimiter, { maxRecords: this.#options.maxRecords });
    this.#table = { delimiter, reader };
    return reader;
  }

  #takeHeld(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }
}
