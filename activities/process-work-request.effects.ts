import type { LeaseOutcome } from '../domain/work-request/settle-attempt.js';

/** One run of one request; a newer run key fences off this one. */
export interface RequestRun {
  readonly requestId: number;
  readonly runKey: string;
}

/** Where a claim for an instance stands. */
export type ClaimStatus =
  | {
      readonly type: 'granted';
      readonly leaseToken: string;
      readonly instanceId: string;
      /** True when the instance is ready and the whole request fits the short path. */
      readonly small: boolean;
      /** True when the instance answers already. */
      readonly ready: boolean;
    }
  | {
      readonly type: 'waiting';
      readonly leaseToken: string;
      readonly because: string;
      readonly position: number | null;
    }
  /** No shard is left that nobody works on: the claim was given up. */
  | { readonly type: 'finished' }
  /** The request is finished, or another run has taken over: nothing is left to do. */
  | { readonly type: 'ended' };

export interface Begun {
  readonly claim: ClaimStatus;
  /** How many instances may work for this request at once. */
  readonly slices: number;
}

export type SmallOutcome = { readonly type: 'completed' } | LeaseOutcome;

/** The effects of `processWorkRequest`: each is safe to repeat, and the database decides. */
export interface ProcessWorkRequestEffects {
  /** Plans the request and claims its first instance. */
  beginWorkRequest(run: RequestRun): Promise<Begun>;
  /** Claims an instance for a further slice; claiming again gives the same claim. */
  claimSlice(run: RequestRun, slice: number): Promise<ClaimStatus>;
  /** Reads where a claim stands; one that waits for nothing any more is given up. */
  readClaim(leaseToken: string): Promise<ClaimStatus>;
  /** Computes a one-shard request on a ready instance and ends it: at most 2 seconds. */
  runSmall(leaseToken: string): Promise<SmallOutcome>;
  /** Computes shards until none is left, the instance is gone or the request ends. */
  runLease(leaseToken: string): Promise<LeaseOutcome>;
  /** After an outcome that is not the end: releases the lease and claims again, or fails the request. */
  settleLease(leaseToken: string, outcome: LeaseOutcome): Promise<ClaimStatus>;
  /** All shards are stored: completes the request and hands its instances over. */
  endWorkRequest(run: RequestRun): Promise<void>;
  /** Another hand ended the request: gives the run's instances back. */
  releaseRun(run: RequestRun): Promise<void>;
  /** The run was cancelled: marks the request so if it is open still, and gives its instances back. */
  abandonWorkRequest(run: RequestRun): Promise<void>;
}
