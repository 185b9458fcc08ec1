const firstDelayMs = 250;
const longestDelayMs = 5000;

/**
 * How long to wait before starting a child again, in ms: nothing the first time, then doubling up to 5 s.
 * @param deaths how often it died in a row without a healthy minute in between; at least 1
 */
export function restartDelayMs(deaths: number): number {
  return deaths <= 1 ? 0 : Math.min(firstDelayMs * 2 ** (deaths - 2), longestDelayMs);
}

/** A child that served this long, in ms, starts with a clean record. */
export const healthyMs = 60_000;
