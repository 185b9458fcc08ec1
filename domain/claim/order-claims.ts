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
  const byUser = Map.groupBy(claims, ({ userId }) => userId);
  const charged = [...byUser.values()].flatMap((own) =>
    own.toSorted(byArrival).map((claim, ahead) => ({
      claim,
      usageSeconds: own[0]!.usageSeconds + ahead * EXPECTED_GRANT_SECONDS,
    })),
  );
  const ordered = charged.toSorted((a, b) => a.usageSeconds - b.usageSeconds || byArrival(a.claim, b.claim));
  return ordered.map(({ claim }) => claim);
}

function byArrival(a: WaitingClaim, b: WaitingClaim): number {
  return a.requestedAtMs - b.requestedAtMs || (a.leaseToken < b.leaseToken ? -1 : 1);
}

/** Half of a user's past use is forgotten after this long. */
export const USAGE_HALF_LIFE_SECONDS = 3600;
