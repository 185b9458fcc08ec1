/** Characters of all remembered entries together: some 32 MB at most. */
const MAX_LENGTH = 16 * 1024 * 1024;
/** A longer input is read again each time: it would push out thousands of short ones. */
const LONGEST_REMEMBERED = 64 * 1024;

/**
 * Remembers the entries of requests that were shown lately. An input never changes, and clients ask for the same
 * request until it is finished; unpacking its shards each time costs more than all the rest of the answer.
 */
export class EntriesMemory {
  readonly #entries = new Map<number, { readonly entries: readonly string[]; readonly length: number }>();
  readonly #maxLength: number;
  #length = 0;

  constructor(maxLength = MAX_LENGTH) {
    this.#maxLength = maxLength;
  }

  /** The entries of a request, or undefined when they are to be read. */
  get(requestId: number): readonly string[] | undefined {
    const known = this.#entries.get(requestId);
    if (!known) return undefined;
    // Asked again: now the last to be dropped.
    this.#entries.delete(requestId);
    this.#entries.set(requestId, known);
    return known.entries;
  }

  set(requestId: number, entries: readonly string[]): void {
    // What a text and its place in a list cost beside its characters.
    const length = entries.reduce((sum, entry) => sum + entry.length + 16, 64);
    if (length > LONGEST_REMEMBERED || this.#entries.has(requestId)) return;
    this.#entries.set(requestId, { entries, length });
    this.#length += length;
    for (const [oldest, { length: freed }] of this.#entries) {
      if (this.#length <= this.#maxLength) return;
      this.#entries.delete(oldest);
      this.#length -= freed;
    }
  }
}
