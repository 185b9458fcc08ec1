import type { InstanceState } from '../instance/instance.js';
import type { WaitingClaim } from './order-claims.js';

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
  /** False while it misses its health checks, which it passed before. */
  readonly healthy: boolean;
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
  /** How many claims wait for it, those that were not read too. */
  readonly waiting: number;
}

export interface ClaimLimits {
  readonly maxInstances: number;
  /** A claim that waited this long may have an instance retired that its model has no more right to. */
  readonly patienceSeconds: number;
}
