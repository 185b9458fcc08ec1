/** `unclosed-quote`: the input ended inside quotes, the text is kept. `too-long`: the cells were given up. */
export const recordFaults = ['unclosed-quote', 'too-long'] as const;
export type RecordFault = (typeof recordFaults)[number];

/** One record of a table. `line` is the line of the original text on which it begins, counted from 1. */
export interface TableRecord {
  readonly line: number;
  readonly cells: readonly string[];
  readonly fault?: RecordFault;
}

/**
 * Hands out records in order, counting all and keeping at most `maxRecords`. Empty lines are held back until a record
 * follows them, because at the end of a text they are no records; they stand on the lines directly before it.
 */
export class RecordQueue {
  readonly #maxRecords: number;
  #records: TableRecord[] = [];
  #emptyLines = 0;
  #recordCount = 0;

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords;
  }

  /** Records seen so far, those beyond `maxRecords` included. */
  get recordCount(): number {
    return this.#recordCount;
  }

  addEmptyLine(): void {
    this.#emptyLines++;
  }

  add(record: TableRecord): void {
    const room = this.#maxRecords - this.#recordCount;
    const firstLine = record.line - this.#emptyLines;
    for (let empty = 0; empty < Math.min(this.#emptyLines, room); empty++)
      this.#records.push({ line: firstLine + empty, cells: [''] });
    if (this.#emptyLines < room) this.#records.push(record);
    this.#recordCount += this.#emptyLines + 1;
    this.#emptyLines = 0;
  }

  /** The records since the last call. */
  take(): TableRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }
}
