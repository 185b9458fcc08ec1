import { LRUCache } from 'lru-cache';
import type { ThreadIdentity } from './chemistry-thread.main.js';

/** About 15 MB of ordinary molecules; a library that is sent to several models is mostly read once. */
const mostRemembered = 50_000;
/** Longer texts are seldom sent twice and would make the memory's size depend on what is sent. */
const longestText = 200;

/** Identifies the texts it is given; null for what is not a molecule. */
type Identify = (texts: readonly string[]) => Promise<readonly (ThreadIdentity | null)[]>;

/**
 * Remembers what was found of the molecules seen last, since reading one takes 0.6 ms and its identity never changes.
 * What is no molecule is not remembered: the machine may just have been too busy to read it in time.
 */
export class IdentityMemory {
  readonly #known = new LRUCache<string, ThreadIdentity>({ max: mostRemembered });

  /** One answer per text, in order; `identify` is asked once for each different text that is not known. */
  async answer(texts: readonly string[], identify: Identify): Promise<(ThreadIdentity | null)[]> {
    const found = new Map<string, ThreadIdentity | null>();
    for (const text of texts) found.set(text, this.#known.get(text) ?? null);
    const unknown = [...found].filter(([, identity]) => identity === null).map(([text]) => text);
    const identities = unknown.length > 0 ? await identify(unknown) : [];
    for (const [n, text] of unknown.entries()) {
      const identity = identities[n] ?? null;
      found.set(text, identity);
      if (identity && text.length <= longestText) this.#known.set(text, identity);
    }
    return texts.map((text) => found.get(text) ?? null);
  }
}
