import type { Failure } from '../failure.js';
import type { InstanceEnd } from '../instance/life.js';
import { bytesToMebibytes } from '../units.js';

/** How an instance's work for a request ended, as the activity saw it. */
export type LeaseOutcome =
  | { readonly type: 'finished' }
  | { readonly type: 'ended' }
  | {
      readonly type: 'out-of-memory';
      readonly memoryLimitBytes: number;
      readonly message: string;
      /** What the instance's row is to say of it, unless it says something already. */
      readonly end?: InstanceEnd;
    }
  | {
      readonly type: 'lost';
      readonly crashed: boolean;
      readonly message: string;
      readonly end?: InstanceEnd;
    }
  | {
      readonly type: 'failed';
      readonly failure: Failure;
      /** True when its server may still be computing: the protocol can't stop it, so it must not be lent again. */
      readonly instanceBusy: boolean;
    };

/** What the request has been through; the figures are columns of its row. */
export interface AttemptHistory {
  readonly memoryKills: number;
  /** Instances lost in a row without one more finished shard. */
  readonly attemptsWithoutProgress: number;
  /** Largest limit any node could hold. */
  readonly largestNodeBytes: number;
}

export type Settlement =
  | { readonly type: 'again'; readonly memoryBytes: number | null; readonly because: string }
  | { readonly type: 'fail'; readonly failure: Failure };

const LONGEST_PAUSE_SECONDS = 60;

/**
 * How long a request waits before it asks for the next instance: not at all after its first loss, then ever longer, so
 * that a cluster that loses every instance is not asked for one after the other.
 * @param losses instances lost in the last minutes before they did any work for it
 */
export function pauseSeconds(losses: number): number {
  return losses < 2 ? 0 : Math.min(LONGEST_PAUSE_SECONDS, 5 * 2 ** (losses - 2));
}

/** A request is healed from out-of-memory this many times at most. */
const MAX_MEMORY_KILLS = 3;
/** A server that dies this often without one more finished shard is given up: the input may be what kills it. */
const MAX_ATTEMPTS_WITHOUT_PROGRESS = 5;

/**
 * What becomes of a request whose instance did not finish. Out of memory: again with twice the limit of the instance
 * that died, or with all that the largest node holds when that is less, as long as it is more than before; the third
 * kill ends it. Lost: again, unless it keeps happening.
 */
export function settleAttempt(
  outcome: Extract<LeaseOutcome, { type: 'out-of-memory' | 'lost' | 'failed' }>,
  history: AttemptHistory,
): Settlement {
  switch (outcome.type) {
    case 'failed':
      return { type: 'fail', failure: outcome.failure };
    case 'lost':
      return settleLost(outcome, history);
    case 'out-of-memory':
      return settleOutOfMemory(outcome, history);
  }
}

function settleLost(outcome: { crashed: boolean; message: string }, history: AttemptHistory): Settlement {
  const attempts = history.attemptsWithoutProgress + 1;
  if (!outcome.crashed || attempts < MAX_ATTEMPTS_WITHOUT_PROGRESS) {
    return { type: 'again', memoryBytes: null, because: outcome.message };
  }
  const message =
    `${outcome.message} This happened ${attempts} times in a row. ` +
    'Try fewer or other molecules, or ask the operators to look at the log of the model.';
  return { type: 'fail', failure: { type: 'InstanceLost', message } };
}

function settleOutOfMemory(
  outcome: { memoryLimitBytes: number; message: string },
  history: AttemptHistory,
): Settlement {
  const next = Math.min(outcome.memoryLimitBytes * 2, history.largestNodeBytes);
  const kills = history.memoryKills + 1;
  const had = bytesToMebibytes(outcome.memoryLimitBytes);
  if (kills >= MAX_MEMORY_KILLS) {
    return outOfMemory(`The model ran out of memory ${kills} times, at last with ${had} MiB.`);
  }
  if (next <= outcome.memoryLimitBytes) {
    const largest = bytesToMebibytes(history.largestNodeBytes);
    return outOfMemory(
      `The model ran out of memory with ${had} MiB, and no node can give it more (the largest holds ${largest} MiB).`,
    );
  }
  return { type: 'again', memoryBytes: next, because: outcome.message };
}

function outOfMemory(what: string): Settlement {
  const message = `${what} Send fewer or smaller molecules in one request, or ask the operators for more memory for this model.`;
  return { type: 'fail', failure: { type: 'OutOfMemory', message } };
}
