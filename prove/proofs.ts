import { freshClone } from './main-1-fresh-clone.js';
import type { Proof } from './proof.js';

/** Every proof, in the order of the issues that ask for them. */
export const proofs: readonly Proof[] = [freshClone];
