/** States of a work request: waiting to be planned, waiting for an instance, running, and the three ends. */
export const workRequestStates = [
  'QUEUED',
  'SCHEDULING',
  'PROCESSING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
] as const;
export type WorkRequestState = (typeof workRequestStates)[number];

/** What can happen to a work request; each event is one step of its story. */
export const workRequestMoves = [
  'plan',
  'run',
  'wait again',
  'complete',
  'fail',
  'cancel',
  'queue again',
] as const;
export type WorkRequestMove = (typeof workRequestMoves)[number];

const moves: Readonly<Record<WorkRequestMove, { from: readonly WorkRequestState[]; to: WorkRequestState }>> =
  {
    plan: { from: ['QUEUED'], to: 'SCHEDULING' },
    run: { from: ['SCHEDULING', 'PROCESSING'], to: 'PROCESSING' },
    // An instance was lost or ran out of memory: the same request waits for the next one.
    'wait again': { from: ['SCHEDULING', 'PROCESSING'], to: 'SCHEDULING' },
    complete: { from: ['SCHEDULING', 'PROCESSING'], to: 'COMPLETED' },
    fail: { from: ['QUEUED', 'SCHEDULING', 'PROCESSING'], to: 'FAILED' },
    cancel: { from: ['QUEUED', 'SCHEDULING', 'PROCESSING'], to: 'CANCELLED' },
    // Finished shards are kept; only an ended request can go back, so no run is ever doubled.
    'queue again': { from: ['FAILED', 'CANCELLED'], to: 'QUEUED' },
  };

/** Where a move leads from a state, or null when it is not allowed there. */
export function nextWorkRequestState(
  state: WorkRequestState,
  move: WorkRequestMove,
): WorkRequestState | null {
  const { from, to } = moves[move];
  return from.includes(state) ? to : null;
}

/** The states a move may start from, for the `where` of the one statement that writes it. */
export function statesBefore(move: WorkRequestMove): readonly WorkRequestState[] {
  return moves[move].from;
}

/** A finished request never moves by itself again. */
export function isFinished(state: WorkRequestState): boolean {
  return state === 'COMPLETED' || state === 'FAILED' || state === 'CANCELLED';
}

/** States of a shard: not computed, being computed under a lease, stored. */
export const shardStates = ['PENDING', 'RUNNING', 'DONE'] as const;
export type ShardState = (typeof shardStates)[number];

/** Steps of a request's progress as its timeline tells them. */
export const requestEventTypes = [
  'submitted',
  'waiting',
  'instance-starting',
  'running',
  'progress',
  'out-of-memory',
  'instance-lost',
  'completed',
  'failed',
  'cancelled',
] as const;
export type RequestEventType = (typeof requestEventTypes)[number];
