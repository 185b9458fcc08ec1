/** What a proof may use while it runs. */
export interface ProofContext {
  /** Decides everything that is left to chance; printed, so that a run can be repeated. */
  readonly seed: number;
  /** Run the small version: the same claims on less load, for `npm test`. */
  readonly small: boolean;
  /** Prints a figure. */
  readonly say: (what: string, value: string | number) => void;
  /** A claim: printed with what was seen; a false one fails the proof, which still goes on to its end. */
  readonly claim: (sentence: string, holds: boolean, seen?: string | number) => void;
}

/** One item of an issue's list of what must be shown. */
export interface Proof {
  readonly name: string;
  readonly title: string;
  run(context: ProofContext): Promise<void>;
}

/** What a proof came to. */
export interface ProofResult {
  readonly name: string;
  readonly claims: number;
  readonly failed: readonly string[];
}

/** Runs one proof and prints what it sees, a line each. */
export async function runProof(
  proof: Proof,
  { seed, small, print }: { seed: number; small: boolean; print: (line: string) => void },
): Promise<ProofResult> {
  const failed: string[] = [];
  let claims = 0;
  print(`${proof.name}  ${proof.title}${small ? ' (small)' : ''}`);
  print(`  seed: ${seed}`);
  try {
    await proof.run({
      seed,
      small,
      say: (what, value) => print(`  ${what}: ${value}`),
      claim(sentence, holds, seen) {
        claims += 1;
        print(`  ${holds ? 'ok    ' : 'FAILED'} ${sentence}${seen === undefined ? '' : ` (${seen})`}`);
        if (!holds) failed.push(sentence);
      },
    });
  } catch (error) {
    print(`  FAILED ${(error as Error).stack ?? String(error)}`);
    failed.push(`it ended early: ${(error as Error).message}`);
  }
  if (claims === 0 && failed.length === 0) failed.push('it claimed nothing');
  return { name: proof.name, claims, failed };
}

/** A small generator of pseudo-random numbers in [0, 1), so that a seed repeats a run (Mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The value below which this share of the values lies; the values need not be sorted. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
