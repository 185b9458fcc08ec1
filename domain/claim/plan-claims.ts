import { isUsable, type InstanceState } from '../instance/instance.js';
import { orderClaims, type WaitingClaim } from './order-claims.js';

/** A claim with what it needs. */
export interface InstanceClaim extends WaitingClaim {
  readonly modelId: string;
  /** Least memory the instance must be allowed; null when the model's own setting will do. */
  readonly memoryBytes: number | null;
  readonly waitedSeconds: number;
}

/** A place: an instance that is not TERMINATED. */
export interface Place {
  readonly instanceId: string;
  readonly modelId: string;
  readonly modelRevision: number;
  readonly state: InstanceState;
  readonly leased: boolean;
  /** Null when it has no limit. */
  readonly memoryLimitBytes: number | null;
  /** How long it has been free; 0 while leased or starting. */
  readonly idleSeconds: number;
}

export interface ClaimedModel {
  readonly modelId: string;
  readonly revision: number;
  readonly enabled: boolean;
  /** -1: no limit of its own; 0: none may start. */
  readonly maxInstances: number;
}

export interface ClaimLimits {
  readonly maxInstances: number;
  /** A claim that waited this long may have an idle instance of a better served model retired for it. */
  readonly patienceSeconds: number;
}

export interface ClaimPlan {
  readonly lend: readonly { leaseToken: string; instanceId: string }[];
  readonly start: readonly { leaseToken: string; modelId: string }[];
  readonly retire: readonly string[];
  readonly wait: readonly { leaseToken: string; position: number; because: string }[];
}

/**
 * Who gets which place. In fair order each claim takes a free instance of its model that is new and large enough;
 * else a new one is started while the model's and the hub's limits allow; else it waits. When the hub is full, the
 * longest-idle instance that nobody ahead wants is retired; so that no model starves, a claim past its patience may
 * also take the place of an idle instance of a better served model.
 */
export function planClaims(
  claims: readonly InstanceClaim[],
  places: readonly Place[],
  models: readonly ClaimedModel[],
  limits: ClaimLimits,
): ClaimPlan {
  const room = new Room(places, models, limits);
  const pending: { claim: InstanceClaim; because: string; wantsRoom: boolean }[] = [];
  for (const claim of orderClaims(claims)) {
    const refusal = room.serve(claim);
    if (refusal) pending.push({ claim, ...refusal });
  }
  for (const { wantsRoom } of pending) if (wantsRoom) room.makeRoom();
  const wait = pending.map(({ claim, because }, index) => ({
    leaseToken: claim.leaseToken,
    position: index + 1,
    because,
  }));
  return { lend: room.lend, start: room.start, retire: room.retire, wait };
}

type Refusal = { because: string; wantsRoom: boolean } | null;

/** The places as they would be after what is planned so far. */
class Room {
  readonly lend: { leaseToken: string; instanceId: string }[] = [];
  readonly start: { leaseToken: string; modelId: string }[] = [];
  readonly retire: string[] = [];
  readonly #models: ReadonlyMap<string, ClaimedModel>;
  readonly #live = new Map<string, number>();
  #free: Place[];
  #total: number;
  /** Places that are being given up already. */
  #coming: number;

  constructor(
    places: readonly Place[],
    models: readonly ClaimedModel[],
    private readonly limits: ClaimLimits,
  ) {
    this.#models = new Map(models.map((model) => [model.modelId, model]));
    for (const { modelId } of places) this.#count(modelId, 1);
    this.#total = places.length;
    this.#coming = places.filter(({ state }) => !isUsable(state)).length;
    this.#free = places
      .filter(({ state, leased }) => isUsable(state) && !leased)
      .toSorted((a, b) => b.idleSeconds - a.idleSeconds);
  }

  serve(claim: InstanceClaim): Refusal {
    const model = this.#models.get(claim.modelId);
    if (!model?.enabled)
      return {
        because: 'The model is switched off; the request runs when it is on again.',
        wantsRoom: false,
      };
    const lent = this.#takeFree(claim, model);
    if (lent) {
      this.lend.push({ leaseToken: claim.leaseToken, instanceId: lent.instanceId });
      return null;
    }
    return this.#startFor(claim, model);
  }

  /** Retires the longest-idle instance that no claim took, unless a place is coming free anyway. */
  makeRoom(): void {
    if (this.#coming > 0) this.#coming -= 1;
    else if (this.#free.length > 0) this.#retireFree(this.#free[0]!);
  }

  #startFor(claim: InstanceClaim, model: ClaimedModel): Refusal {
    const live = this.#live.get(model.modelId) ?? 0;
    if (model.maxInstances === 0) {
      return { because: 'No instance of this model may start: its limit is 0.', wantsRoom: false };
    }
    if (model.maxInstances > 0 && live >= model.maxInstances) {
      this.#replaceUnfit(model);
      return {
        because: `All instances of this model are busy (${live} of at most ${model.maxInstances}).`,
        wantsRoom: false,
      };
    }
    if (this.#total >= this.limits.maxInstances) {
      const made = this.#displaceFor(claim);
      const because = made
        ? 'The hub is full; an idle instance of another model is being stopped to make room.'
        : `The hub is full (${this.#total} of at most ${this.limits.maxInstances} instances); waiting for a place.`;
      return { because, wantsRoom: !made };
    }
    this.#count(model.modelId, 1);
    this.#total += 1;
    this.start.push({ leaseToken: claim.leaseToken, modelId: model.modelId });
    return null;
  }

  #takeFree(claim: InstanceClaim, model: ClaimedModel): Place | undefined {
    const fitting = this.#free.filter((place) => fits(place, claim, model));
    const chosen = fitting.find(({ state }) => state === 'ACTIVE') ?? fitting[0];
    if (chosen) this.#free = this.#free.filter((place) => place !== chosen);
    return chosen;
  }

  /** A free instance of the model that is outdated or too small stands in the way of one that fits. */
  #replaceUnfit(model: ClaimedModel): void {
    const unfit = this.#free.find(({ modelId }) => modelId === model.modelId);
    if (unfit) this.#retireFree(unfit);
  }

  /** No model may starve behind better served ones: after its patience a claim takes an idle instance's place. */
  #displaceFor(claim: InstanceClaim): boolean {
    if (claim.waitedSeconds < this.limits.patienceSeconds) return false;
    const own = this.#live.get(claim.modelId) ?? 0;
    const victim = this.#free.find(
      ({ modelId }) => modelId !== claim.modelId && (own === 0 || (this.#live.get(modelId) ?? 0) >= own + 2),
    );
    if (victim) this.#retireFree(victim);
    return victim !== undefined;
  }

  #retireFree(place: Place): void {
    this.#free = this.#free.filter((free) => free !== place);
    this.retire.push(place.instanceId);
  }

  #count(modelId: string, more: number): void {
    this.#live.set(modelId, (this.#live.get(modelId) ?? 0) + more);
  }
}

function fits(place: Place, claim: InstanceClaim, model: ClaimedModel): boolean {
  return (
    place.modelId === model.modelId &&
    place.modelRevision === model.revision &&
    (place.memoryLimitBytes === null ||
      claim.memoryBytes === null ||
      place.memoryLimitBytes >= claim.memoryBytes)
  );
}
