import type { ThreadIdentity } from './chemistry-thread.main.js';
import { IdentityMemory } from './identity-memory.js';
import { moleculeLimits, type MoleculeLimits } from './molecule-text.js';
import { MoleculeThreads, type MoleculeThreadsOptions } from './molecule-threads.js';
import { threadFile } from './thread-file.js';

export interface ChemistryOptions extends Omit<MoleculeThreadsOptions, 'file' | 'workerData'> {
  readonly limits?: MoleculeLimits;
}

/** `inchiKey` is empty where InChI knows no key (dummy atoms, some metals); it is for showing, never for keys. */
export type MoleculeIdentity =
  | { readonly valid: true; readonly canonicalSmiles: string; readonly inchiKey: string }
  | { readonly valid: false };

export interface DrawingSize {
  readonly width: number;
  readonly height: number;
}

/**
 * What is known about molecules without a model. A text is a molecule when it is within `moleculeLimits`, RDKit can
 * read it, it has an atom and RDKit can write its canonical form; every call here uses this one rule.
 * Calls reject only when threads can't be started, after `close`, or with the signal's reason (felt every 100 rows a thread).
 */
export interface Chemistry {
  areMolecules(texts: readonly string[], signal?: AbortSignal): Promise<boolean[]>;
  identify(texts: readonly string[], signal?: AbortSignal): Promise<MoleculeIdentity[]>;
  /** An SVG document without XML declaration; null when the text is not a molecule. Sizes in pixels, 16 to 2,000. */
  draw(text: string, size: DrawingSize): Promise<string | null>;
  /** Starts the threads (0.3 s), so that the first question takes a millisecond. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

const largestSidePixels = 2000;
const smallestSidePixels = 16;

function refuseOddSize(side: number): void {
  if (Number.isInteger(side) && side >= smallestSidePixels && side <= largestSidePixels) return;
  throw new Error(`can't draw ${side} pixels wide or high; give whole numbers from 16 to 2000`);
}

/** Chemistry in worker threads, started at first use. One thread canonicalises about 5,000 molecules per second. */
export function createChemistry({ limits = moleculeLimits, ...options }: ChemistryOptions): Chemistry {
  const file = threadFile('chemistry-thread.main.js', import.meta.url);
  const threads = new MoleculeThreads({ ...options, file, workerData: { limits } });
  const ask = (name: string, texts: readonly string[], signal?: AbortSignal) =>
    threads.answer<ThreadIdentity | null>({ name }, texts, null, signal);
  const memory = new IdentityMemory();
  const identify = async (texts: readonly string[], signal?: AbortSignal) => {
    const identities = await ask('identify', texts, signal);
    const unknown = identities.flatMap((identity, row) => (identity === null ? [row] : []));
    const plain = await ask(
      'canonicalise',
      unknown.map((row) => texts[row] ?? ''),
      signal,
    );
    for (const [n, row] of unknown.entries()) identities[row] = plain[n] ?? null;
    return identities;
  };

  return {
    async areMolecules(texts, signal) {
      return (await ask('canonicalise', texts, signal)).map((identity) => identity !== null);
    },

    async identify(texts, signal) {
      const identities = await memory.answer(texts, (unknown) => identify(unknown, signal));
      return identities.map((identity) => (identity ? { valid: true, ...identity } : { valid: false }));
    },

    async draw(text, { width, height }) {
      refuseOddSize(width);
      refuseOddSize(height);
      const [svg] = await threads.answer<string | null>(
        { name: 'draw', extra: { width, height } },
        [text],
        null,
      );
      return svg ?? null;
    },

    warmUp: () => threads.warmUp({ name: 'canonicalise' }),
    close: () => threads.close(),
  };
}
