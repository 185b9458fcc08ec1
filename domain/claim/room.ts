import { isUsable } from '../instance/instance.js';
import type { ClaimedModel, ClaimLimits, InstanceClaim, Place } from './claim-facts.js';
import { ModelShares } from './model-shares.js';

/**
 * So long an idle place is left to its model when the one that wants it has others: a start costs a machine more than
 * many short requests, and a model that is asked for now and then would lose its place between any two of them.
 */
const SETTLED_SECONDS = 10;

/** Why a claim waits, and whether an idle instance should go for it. */
export interface Refusal {
  readonly because: string;
  readonly wantsRoom: boolean;
}

/** The places as they would be after what is planned so far. */
export class Room {
  readonly lend: { leaseToken: string; instanceId: string }[] = [];
  readonly start: { leaseToken: string; modelId: string }[] = [];
  readonly retire: string[] = [];
  readonly #models: ReadonlyMap<string, ClaimedModel>;
  readonly #shares: ModelShares;
  readonly #live = new Map<string, number>();
  #free: Place[];
  #total: number;
  /** Places that are being given up already, as far as they are not meant for somebody. */
  #coming: number;

  constructor(
    claims: readonly InstanceClaim[],
    places: readonly Place[],
    models: readonly ClaimedModel[],
    private readonly limits: ClaimLimits,
  ) {
    this.#models = new Map(models.map((model) => [model.modelId, model]));
    this.#shares = new ModelShares(claims, places, models, limits);
    for (const { modelId } of places) this.#live.set(modelId, this.#liveOf(modelId) + 1);
    this.#total = places.length;
    this.#coming = places.filter(({ state }) => !isUsable(state)).length;
    this.#free = places
      .filter(({ state, leased }) => isUsable(state) && !leased)
      .toSorted((a, b) => b.idleSeconds - a.idleSeconds);
  }

  /** Serves the claim, or says why it has to wait. */
  serve(claim: InstanceClaim): Refusal | null {
    const model = this.#models.get(claim.modelId);
    if (!model?.enabled)
      return {
        because: 'The model is switched off; the request runs when it is on again.',
        wantsRoom: false,
      };
    const lent = this.#takeFree(claim, model);
    if (!lent) return this.#startFor(claim, model);
    this.lend.push({ leaseToken: claim.leaseToken, instanceId: lent.instanceId });
    return null;
  }

  /** Retires the longest-idle instance that no claim took, unless a place is coming free anyway. */
  makeRoom({ modelId }: InstanceClaim): void {
    if (this.#coming > 0) {
      this.#coming -= 1;
      return;
    }
    const [idlest] = this.#free;
    if (!idlest) return;
    const isLeftAlone = idlest.modelId !== modelId && idlest.idleSeconds < SETTLED_SECONDS;
    if (!(isLeftAlone && this.#shares.hasAny(modelId))) this.#retireFree(idlest);
  }

  #startFor({ leaseToken, modelId }: InstanceClaim, model: ClaimedModel): Refusal | null {
    const live = this.#liveOf(modelId);
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
    if (!this.#hasRoomFor(modelId)) return this.#refuseFull(modelId);
    this.#live.set(modelId, live + 1);
    this.#total += 1;
    this.#shares.gain(modelId);
    this.start.push({ leaseToken, modelId });
    return null;
  }

  /** A place that was given up for a model that is owed one does not go to whoever comes first. */
  #hasRoomFor(modelId: string): boolean {
    const room = this.limits.maxInstances - this.#total;
    const kept = this.#shares.isOwed(modelId) ? 0 : this.#shares.othersOwed(modelId);
    return room > kept;
  }

  #refuseFull(modelId: string): Refusal {
    if (this.#keepPlaceFor(modelId))
      return {
        because: 'The hub is full; an instance of another model is being stopped to make room.',
        wantsRoom: false,
      };
    const most = this.limits.maxInstances;
    const because =
      this.#total < most
        ? 'The last place is kept for a model that has waited longer for one; waiting for a place.'
        : `The hub is full (${this.#total} of at most ${most} instances); waiting for a place.`;
    return { because, wantsRoom: true };
  }

  /** For a model that is owed a place: one that is coming free, else that of the best served other model. */
  #keepPlaceFor(modelId: string): boolean {
    if (!this.#shares.isOwed(modelId)) return false;
    if (this.#coming > 0) this.#coming -= 1;
    else {
      const victim = this.#victimOf(modelId);
      if (!victim) return false;
      this.#retireFree(victim);
    }
    this.#shares.gain(modelId);
    return true;
  }

  #victimOf(modelId: string): Place | undefined {
    const shares = this.#shares;
    const others = this.#free.filter((place) => place.modelId !== modelId);
    const takeable = shares.hasAny(modelId)
      ? others.filter((place) => shares.hasTooMany(place.modelId))
      : others;
    return takeable.toSorted((a, b) => shares.surplus(b.modelId) - shares.surplus(a.modelId))[0];
  }

  #takeFree(claim: InstanceClaim, model: ClaimedModel): Place | undefined {
    const fitting = this.#free.filter((place) => fits(place, claim, model));
    const chosen = fitting.find(({ state, healthy }) => state === 'ACTIVE' && healthy) ?? fitting[0];
    if (chosen) this.#free = this.#free.filter((place) => place !== chosen);
    return chosen;
  }

  /** A free instance of the model that is outdated or too small stands in the way of one that fits. */
  #replaceUnfit(model: ClaimedModel): void {
    const unfit = this.#free.find(({ modelId }) => modelId === model.modelId);
    if (unfit) this.#retireFree(unfit);
  }

  #retireFree(place: Place): void {
    this.#free = this.#free.filter((free) => free !== place);
    this.#shares.lose(place.modelId);
    this.retire.push(place.instanceId);
  }

  #liveOf(modelId: string): number {
    return this.#live.get(modelId) ?? 0;
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
