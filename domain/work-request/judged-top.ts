import { JUDGED_LENGTH, JUDGED_ROWS } from './limits.js';
import type { TableRecord } from './record-queue.js';

/**
 * Gathers the records on which an input is judged: those up to the first that is not blank, which may be a header, and
 * 1,000 more; fewer where they are so long that an input of them alone would fill the memory. Which they are does not
 * depend on how the input arrives.
 */
export class JudgedTop {
  readonly records: TableRecord[] = [];
  #length = 0;
  #sinceFirst = 0;

  /** True when there is enough to judge, whatever follows. */
  get isWhole(): boolean {
    return this.#sinceFirst > JUDGED_ROWS || this.#length >= JUDGED_LENGTH;
  }

  /** Takes records until there are enough. @returns those it did not take */
  take(records: readonly TableRecord[]): readonly TableRecord[] {
    for (const [index, record] of records.entries()) {
      if (this.isWhole) return records.slice(index);
      this.#add(record);
    }
    return [];
  }

  #add(record: TableRecord): void {
    const { cells } = record;
    this.records.push(record);
    this.#length += cells.reduce((sum, cell) => sum + cell.length + 1, 0);
    if (this.#sinceFirst > 0 || cells.some((cell) => cell.trim() !== '')) this.#sinceFirst++;
  }
}
