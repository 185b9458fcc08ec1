/** How long a model took for a call, by its rows. */
export interface CallDuration {
  readonly rows: number;
  readonly ms: number;
}

/** The short path holds a workflow task while it computes, so it is ended after this long whatever happens. */
export const SMALL_PATH_CAP_MS = 2_000;
/** Work is taken for short when it should need at most half the cap. */
const EXPECTED_MS = SMALL_PATH_CAP_MS / 2;
/** Reading a molecule takes 1 ms: so many may be read at once, before anyone who waits for a turn. */
export const MOST_SHORT_ROWS = 100;
/** Fewer calls than this say nothing about a model. */
const LEAST_CALLS = 3;

/**
 * Is this much work short enough for the short path? Judged by the slowest of the last calls per row, which overstates
 * larger work: a wrong "no" costs a few milliseconds, a wrong "yes" an instance.
 */
export function isSmallWork(
  lastCalls: readonly CallDuration[],
  rowCount: number,
  shardCount: number,
): boolean {
  if (shardCount !== 1 || rowCount > MOST_SHORT_ROWS || lastCalls.length < LEAST_CALLS) return false;
  const slowestPerRow = Math.max(...lastCalls.map(({ rows, ms }) => ms / Math.max(1, rows)));
  return slowestPerRow * rowCount <= EXPECTED_MS;
}
