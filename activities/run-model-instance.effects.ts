import type { InstanceState } from '../domain/instance/instance.js';

/** What the instance's workflow needs to know to decide its next step. */
export interface InstanceFacts {
  readonly state: InstanceState;
  /** Seconds until a starting instance has taken too long. */
  readonly readySecondsLeft: number;
}

export type IdleVerdict =
  /** The instance is being ended, by this call or already. */
  | { readonly type: 'retired' }
  /** It is in use, or was until a moment ago: look again then. */
  | { readonly type: 'look again'; readonly inSeconds: number };

/** The effects of `runModelInstance`: each is safe to repeat, and the database decides. */
export interface RunModelInstanceEffects {
  /** Asks the host for the instance. A refusal for good marks it to end, with the reason. */
  createInstance(instanceId: string): Promise<void>;
  readInstance(instanceId: string): Promise<InstanceFacts>;
  /** Marks an instance that never became ready to end, with what it was last waiting for. */
  giveUpStarting(instanceId: string): Promise<void>;
  /** Ends the instance if it is free and its idle time is over, or if it has not answered for too long. */
  retireIdle(instanceId: string): Promise<IdleVerdict>;
  /** Keeps its log, its events and its last use, which are gone from the host after it is deleted, as far as it gives them. */
  keepEvidence(instanceId: string): Promise<void>;
  /** Removes it from the host, by uid. */
  deleteInstance(instanceId: string): Promise<void>;
  /** The place is free: TERMINATED, its lessee told, the next claims served. */
  finishInstance(instanceId: string): Promise<void>;
}
