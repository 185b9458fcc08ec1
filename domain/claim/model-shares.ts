import { isUsable } from '../instance/instance.js';
import type { ClaimedModel, ClaimLimits, InstanceClaim, Place } from './claim-facts.js';

/**
 * Which models have more and which have less than their part of all places. A model is owed a place when someone has
 * waited for it past the patience and it has none, or when by what is asked of each model it lacks a whole place. Less
 * than a whole one would move places to and fro, and each move costs the start of an instance.
 */
export class ModelShares {
  /** Places that serve or will serve, by model. */
  readonly #held = new Map<string, number>();
  /** Claims that wait or are being served, by model. */
  readonly #asked = new Map<string, number>();
  readonly #models: ReadonlyMap<string, ClaimedModel>;
  /** Models for which someone has waited past the patience. */
  readonly #impatient: ReadonlySet<string>;
  readonly #askedOfAll: number;

  constructor(
    claims: readonly InstanceClaim[],
    places: readonly Place[],
    models: readonly ClaimedModel[],
    private readonly limits: ClaimLimits,
  ) {
    this.#models = new Map(models.map((model) => [model.modelId, model]));
    const impatient = claims.filter(({ waitedSeconds }) => waitedSeconds >= limits.patienceSeconds);
    this.#impatient = new Set(impatient.map(({ modelId }) => modelId));
    for (const { modelId, waiting } of models) addTo(this.#asked, modelId, waiting);
    for (const { modelId, leased, state } of places) {
      if (leased) addTo(this.#asked, modelId, 1);
      if (isUsable(state)) addTo(this.#held, modelId, 1);
    }
    this.#askedOfAll = [...this.#asked.values()].reduce((sum, asked) => sum + asked, 0);
  }

  /** A place that the model has from now on, or will have. */
  gain(modelId: string): void {
    addTo(this.#held, modelId, 1);
  }

  lose(modelId: string): void {
    addTo(this.#held, modelId, -1);
  }

  hasAny(modelId: string): boolean {
    return this.#heldBy(modelId) > 0;
  }

  isOwed(modelId: string): boolean {
    const isShort = !this.hasAny(modelId) || this.surplus(modelId) <= -1;
    return isShort && this.#impatient.has(modelId) && this.#mayHaveMore(modelId);
  }

  /** How many models other than this one are owed a place. */
  othersOwed(modelId: string): number {
    return [...this.#impatient].filter((other) => other !== modelId && this.isOwed(other)).length;
  }

  /** May a free place of this model be taken although others wait for it? What nobody waits for is merely idle. */
  hasTooMany(modelId: string): boolean {
    return (this.#models.get(modelId)?.waiting ?? 0) > 0 && this.surplus(modelId) >= 1;
  }

  /** Places beyond the model's part of all. */
  surplus(modelId: string): number {
    const part = (this.#asked.get(modelId) ?? 0) / Math.max(1, this.#askedOfAll);
    return this.#heldBy(modelId) - part * this.limits.maxInstances;
  }

  #mayHaveMore(modelId: string): boolean {
    const model = this.#models.get(modelId);
    if (!model?.enabled) return false;
    return model.maxInstances < 0 || this.#heldBy(modelId) < model.maxInstances;
  }

  #heldBy(modelId: string): number {
    return this.#held.get(modelId) ?? 0;
  }
}

function addTo(counts: Map<string, number>, modelId: string, more: number): void {
  counts.set(modelId, (counts.get(modelId) ?? 0) + more);
}
