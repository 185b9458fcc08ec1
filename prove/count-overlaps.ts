/** A span of time, in any unit; `end` is null while it lasts. */
export interface Span {
  readonly start: number;
  readonly end: number | null;
}

/** How many spans hold at once at most: computed at every start, so that no moment is missed. */
export function mostAtOnce(spans: readonly Span[]): number {
  const changes = spans
    .flatMap(({ start, end }) => [
      { at: start, change: 1 },
      ...(end === null ? [] : [{ at: end, change: -1 }]),
    ])
    // One that ends in the moment another starts has made room for it.
    .toSorted((a, b) => a.at - b.at || a.change - b.change);
  let now = 0;
  let most = 0;
  for (const { change } of changes) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}

/** The longest time in which somebody waited and nobody's waiting ended. Every span ends when it is served. */
export function longestPause(waits: readonly { readonly start: number; readonly end: number }[]): number {
  const served = waits.map(({ end }) => end).toSorted((a, b) => a - b);
  let longest = 0;
  for (const [index, end] of served.entries()) {
    const previous = served[index - 1] ?? Number.NEGATIVE_INFINITY;
    const waiting = waits.filter((wait) => wait.end >= end).map(({ start }) => start);
    longest = Math.max(longest, end - Math.max(previous, Math.min(...waiting)));
  }
  return longest;
}
