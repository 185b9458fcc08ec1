import type { ClaimPlan } from './plan-claims.js';

/** What someone who waits for an instance is told. */
export interface Wait {
  /** A sentence. */
  readonly because: string;
  /** Place in the line of those who wait for the same, from 1; null when unknown, or not in the line yet. */
  readonly position: number | null;
}

/** What is told while nobody looked at the line. */
export const unknownWait: Wait = { because: 'Others are served first.', position: null };

/** What is told to a claim that takes no part yet. */
export function tellPause(seconds: number): Wait {
  const because = `Its last instances were lost before they did any work; the next one is asked for in ${Math.ceil(seconds)} s.`;
  return { because, position: null };
}

/** What a plan means for each of its claims, by lease token; a plan that is only told serves nobody yet. */
export function tellWaits({ wait, lend, start }: ClaimPlan): ReadonlyMap<string, Wait> {
  const next: Wait = { because: 'Its turn has come.', position: 1 };
  return new Map([
    ...wait.map(({ leaseToken, because, position }) => [leaseToken, { because, position }] as const),
    ...[...lend, ...start].map(({ leaseToken }) => [leaseToken, next] as const),
  ]);
}
