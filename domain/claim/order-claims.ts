/** Someone waiting for an instance, as the order between users needs it. */
export interface WaitingClaim {
  readonly leaseToken: string;
  readonly userId: string;
  /** Milliseconds since the epoch, by the database clock. */
  readonly requestedAtMs: number;
  /** The user's decayed use now, in seconds of instance time. */
  readonly usageSeconds: number;
}

/** What one grant is taken to cost before anyone knows: the least that keeps one user's flood from going first. */
export const EXPECTED_GRANT_SECONDS = 5;

/**
 * The order in which waiting claims are served: the user with the least decayed use first, inside a user first come
 * first served. Each place in the order counts as use already, so the claims of many users interleave.
 * @returns the same claims, in order
 */
export function orderClaims<Claim extends WaitingClaim>(claims: readonly Claim[]): Claim[] {
  const queues = queuesByUser(claims);
  const ordered: Claim[] = [];
  while (queues.length > 0) {
    const next = queues.reduce((least, queue) => (goesBefore(queue, least) ? queue : least));
    ordered.push(next.claims[next.taken]!);
    next.taken += 1;
    next.usageSeconds += EXPECTED_GRANT_SECONDS;
    if (next.taken === next.claims.length) queues.splice(queues.indexOf(next), 1);
  }
  return ordered;
}

interface UserQueue<Claim> {
  readonly claims: Claim[];
  taken: number;
  usageSeconds: number;
}

function queuesByUser<Claim extends WaitingClaim>(claims: readonly Claim[]): UserQueue<Claim>[] {
  const byUser = Map.groupBy(claims, ({ userId }) => userId);
  return [...byUser.values()].map((own) => ({
    claims: own.toSorted(byArrival),
    taken: 0,
    usageSeconds: own[0]!.usageSeconds,
  }));
}

function byArrival(a: WaitingClaim, b: WaitingClaim): number {
  return a.requestedAtMs - b.requestedAtMs || (a.leaseToken < b.leaseToken ? -1 : 1);
}

function goesBefore<Claim extends WaitingClaim>(a: UserQueue<Claim>, b: UserQueue<Claim>): boolean {
  if (a.usageSeconds !== b.usageSeconds) return a.usageSeconds < b.usageSeconds;
  return byArrival(a.claims[a.taken]!, b.claims[b.taken]!) < 0;
}

/** Half of a user's past use is forgotten after this long. */
export const USAGE_HALF_LIFE_SECONDS = 3600;

/** Decayed use after some time without any. */
export function decayUsage(usageSeconds: number, elapsedSeconds: number): number {
  return usageSeconds * 0.5 ** (Math.max(0, elapsedSeconds) / USAGE_HALF_LIFE_SECONDS);
}
