/** Slots of the first table; a power of two, as all later sizes. */
const FIRST_SLOTS = 1024;
/** Filled more than this, the table doubles. */
const MAX_FILL = 0.6;
const WORDS_PER_SLOT = 3;

/**
 * Remembers on which line a text was first seen, by a 64-bit fingerprint: 20 to 40 bytes per text, whatever its length,
 * so a million rows stay small. Two different texts are mistaken for each other once in some ten million inputs of a
 * million rows; use it for notices, never to leave a row out.
 */
export class SeenTexts {
  #slots = FIRST_SLOTS;
  #used = 0;
  /** Per slot: two words of fingerprint and the line; line 0 means free. */
  #words = new Uint32Array(FIRST_SLOTS * WORDS_PER_SLOT);

  /** The line (1 or more) on which the text was seen before, or null and the text is remembered with this line. */
  firstLine(text: string, line: number): number | null {
    const [high, low] = fingerprint(text);
    const at = this.#find(high, low);
    const seen = this.#words[at + 2] ?? 0;
    if (seen !== 0) return seen;
    this.#words.set([high, low, line], at);
    this.#used++;
    if (this.#used > this.#slots * MAX_FILL) this.#grow();
    return null;
  }

  #find(high: number, low: number): number {
    let slot = low & (this.#slots - 1);
    for (;;) {
      const at = slot * WORDS_PER_SLOT;
      if (this.#words[at + 2] === 0) return at;
      if (this.#words[at] === high && this.#words[at + 1] === low) return at;
      slot = (slot + 1) & (this.#slots - 1);
    }
  }

  #grow(): void {
    const old = this.#words;
    this.#slots *= 2;
    this.#words = new Uint32Array(this.#slots * WORDS_PER_SLOT);
    for (let at = 0; at < old.length; at += WORDS_PER_SLOT) {
      if (old[at + 2] === 0) continue;
      this.#words.set(old.subarray(at, at + WORDS_PER_SLOT), this.#find(old[at] ?? 0, old[at + 1] ?? 0));
    }
  }
}

/** Two independent multiply-and-mix hashes over the UTF-16 units; the odd constants are large primes. */
function fingerprint(text: string): [number, number] {
  let high = 0x811c9dc5;
  let low = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x5bd1e995);
    low ^= low >>> 15;
  }
  return [mix(high ^ (low >>> 7)), mix(low)];
}

function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0x297a2d39);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
