import { looksLikeSmiles, splitSmilesLine } from './cell-text.js';
import type { Delimiter } from './delimiters.js';
import type { RecordFault, TableRecord } from './record-queue.js';

/** Longest extension in bars, in UTF-16 units: coordinates of a molecule far larger than any model takes. */
const MAX_BARS_LENGTH = 64 * 1024;

/** Builds one record from pieces of cells, giving its text up once it is longer than `maxLength` UTF-16 units. */
export class RecordBuilder {
  readonly #delimiter: Delimiter;
  readonly #maxLength: number;
  #cells: string[] = [];
  #cell = '';
  #length = 0;
  #isQuoted = false;
  #inBars: string[] = [];
  #barsLength = 0;
  /** Only the first bar of a cell can open an extension. */
  #hasBar = false;

  constructor(delimiter: Delimiter, maxLength: number) {
    this.#delimiter = delimiter;
    this.#maxLength = maxLength;
  }

  /** True once anything of the record was read, were it only an opening quote. */
  get isStarted(): boolean {
    return this.#isQuoted || this.#length > 0;
  }

  /** True if the record is a line of blanks, without quotes or delimiters. */
  get isEmptyLine(): boolean {
    return !this.#isQuoted && this.#cells.length === 0 && !this.#isTooLong && this.#cell.trim() === '';
  }

  get #isTooLong(): boolean {
    return this.#length > this.#maxLength;
  }

  markQuoted(): void {
    this.#isQuoted = true;
  }

  append(text: string): void {
    this.#length += text.length;
    if (this.#isTooLong) this.#cell = '';
    else this.#cell += text;
  }

  endCell(): void {
    this.#length++;
    if (!this.#isTooLong) this.#cells.push(this.#cell);
    this.#cell = '';
    this.#hasBar = false;
  }

  /** Takes a bar; true if it opens an extension: what stands before it is one SMILES and a blank. */
  meetBar(isProtecting: boolean): boolean {
    const opens = isProtecting && !this.#hasBar && isSmilesBeforeBlank(this.#cell);
    this.#hasBar = true;
    this.append('|');
    return opens;
  }

  /** Keeps text that may stand in bars; false if it is too long for that. */
  holdInBars(text: string): boolean {
    this.#inBars.push(text);
    this.#barsLength += text.length;
    return this.#barsLength <= MAX_BARS_LENGTH;
  }

  /** The bars closed: what was held, the closing bar with it, belongs to the cell. */
  closeBars(): void {
    this.append(this.releaseBars());
  }

  /** The bars did not close: gives back what was held. It holds no bar but its last character, so this stays linear. */
  releaseBars(): string {
    const text = this.#inBars.join('');
    this.#inBars = [];
    this.#barsLength = 0;
    return text;
  }

  /** The record, begun on this line; afterwards the builder is empty. */
  finish(line: number, fault?: RecordFault): TableRecord {
    const cells = this.#cells;
    if (this.#delimiter === 'blank') cells.push(...splitSmilesLine(this.#cell));
    else cells.push(this.#cell);
    const record = this.#isTooLong ? { line, cells: [], fault: 'too-long' as const } : { line, cells };
    this.reset();
    return fault === undefined ? record : { fault, ...record };
  }

  reset(): void {
    this.#cells = [];
    this.#cell = '';
    this.#length = 0;
    this.#isQuoted = false;
    this.#hasBar = false;
  }
}

/** True if the cell so far is one SMILES-like token followed by blanks. */
function isSmilesBeforeBlank(cell: string): boolean {
  const token = cell.trim();
  return /\s$/.test(cell) && !/\s/.test(token) && looksLikeSmiles(token);
}
