import type { ClaimedModel, ClaimLimits, InstanceClaim, Place } from './claim-facts.js';
import { orderClaims } from './order-claims.js';
import { type Refusal, Room } from './room.js';

export interface ClaimPlan {
  readonly lend: readonly { leaseToken: string; instanceId: string }[];
  readonly start: readonly { leaseToken: string; modelId: string }[];
  readonly retire: readonly string[];
  readonly wait: readonly { leaseToken: string; position: number; because: string }[];
}

/** What follows when nobody claims anything. */
export const emptyPlan: ClaimPlan = { lend: [], start: [], retire: [], wait: [] };

type Pending = Refusal & { readonly claim: InstanceClaim };

/**
 * Who gets which place. In fair order each claim takes a free instance of its model that is new and large enough;
 * else a new one is started while the model's and the hub's limits allow; else it waits. When the hub is full, the
 * longest-idle instance that nobody wants is retired. So that no model starves, a claim past its patience may also take
 * the place of a free instance that others wait for: see `ModelShares`.
 */
export function planClaims(
  claims: readonly InstanceClaim[],
  places: readonly Place[],
  models: readonly ClaimedModel[],
  limits: ClaimLimits,
): ClaimPlan {
  const room = new Room(claims, places, models, limits);
  const pending: Pending[] = [];
  for (const claim of orderClaims(claims)) {
    const refusal = room.serve(claim);
    if (refusal) pending.push({ claim, ...refusal });
  }
  for (const { claim, wantsRoom } of pending) if (wantsRoom) room.makeRoom(claim);
  return { lend: room.lend, start: room.start, retire: room.retire, wait: numberWaits(pending) };
}

/** There is a line for room in the hub, and one for the instances of each model: who waits in another is not ahead. */
function numberWaits(pending: readonly Pending[]): ClaimPlan['wait'] {
  const lines = new Map<string | null, number>();
  return pending.map(({ claim: { leaseToken, modelId }, because, wantsRoom }) => {
    const line = wantsRoom ? null : modelId;
    const position = (lines.get(line) ?? 0) + 1;
    lines.set(line, position);
    return { leaseToken, position, because };
  });
}
