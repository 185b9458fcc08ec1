import { expect } from '@jest/globals';
import { runProof, type Proof } from '../../prove/proof.js';

/**
 * Ends a proof that hangs, ms. Whatever else a proof waits for has a limit of its own and says what did not come; this
 * is more than all of them together.
 */
export const smallProofMs = 600_000;

/** Runs the small version of a proof and expects every claim to hold; what it saw is printed when one does not. */
export async function expectSmallProof(proof: Proof, seed = 1): Promise<void> {
  const lines: string[] = [];
  const { failed } = await runProof(proof, { seed, small: true, print: (line) => lines.push(line) });
  if (failed.length > 0) console.log(lines.join('\n'));
  expect(failed).toEqual([]);
}
