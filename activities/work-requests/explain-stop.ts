import { readLease, type LeaseFacts } from '../../db/queries/leases.js';
import type { TakenShard } from '../../db/queries/shards.js';
import { gone, judgeEnd, type InstanceEnd } from '../../domain/instance/life.js';
import type { LeaseOutcome } from '../../domain/work-request/settle-attempt.js';
import type { ActivityDependencies } from '../dependencies.js';
import { ModelAnswerError } from '../model-server/model-reply.js';
import type { LeaseGuard } from './lease-guard.js';
import { ShardGivenUpError } from './shard-attempt.js';

type ExplainDependencies = Pick<ActivityDependencies, 'database' | 'instances'>;

/** What it means that work failed by itself: by a model or a shard that can't be used. Null for any other error. */
export function outcomeOfFailure(error: unknown): LeaseOutcome | null {
  if (error instanceof ModelAnswerError) return modelFailure(error);
  if (error instanceof ShardGivenUpError) return quarantined(error.shard);
  return null;
}

/** A model that can't be used: wrong answers, or none in time. */
function modelFailure(error: ModelAnswerError): LeaseOutcome {
  const message = `${error.message} Tell the maintainer of the model, or choose another one.`;
  return { type: 'failed', failure: { type: 'ModelError', message }, instanceBusy: error.serverBusy };
}

/** A shard that is not tried once more: too many of those who took it were never heard of again. */
function quarantined({ shard_no, attempt }: TakenShard): LeaseOutcome {
  const message =
    `Rows around shard ${shard_no + 1} were started ${attempt - 1} times and never finished: whoever ` +
    'computed them died. Send the request without them, or ask the operators to look at the log of the worker.';
  return { type: 'failed', failure: { type: 'Infrastructure', message }, instanceBusy: false };
}

/** How the work ended, for an instance that is over: out of memory, refused, never ready, or lost. */
export async function explainOver(deps: ExplainDependencies, lease: LeaseFacts): Promise<LeaseOutcome> {
  const end = seenEnd(deps, lease);
  if (end?.reason === 'OOMKILLED' && lease.memory_limit_bytes !== null) return outOfMemory(lease, end);
  if (end?.reason === 'FAILED' || end?.reason === 'OOMKILLED')
    return { type: 'lost', crashed: true, message: `The instance failed: ${end.message}.`, end };
  return explainByRow(await readLease(deps.database, lease.lease_token), lease, end ?? gone);
}

/** What its host shows of its end, or showed last; null when it shows nothing of it. Another of the same name says nothing about it. */
function seenEnd({ instances }: ExplainDependencies, { instance_id, uid }: LeaseFacts): InstanceEnd | null {
  const observed = instances.seeLast(instance_id!);
  return observed && (uid === null || observed.uid === uid) ? judgeEnd(observed) : null;
}

/** Its server did not end by itself: what the hub wrote down comes first, for that may be why. */
function explainByRow(now: LeaseFacts | null, lease: LeaseFacts, end: InstanceEnd): LeaseOutcome {
  const why = reasonIn(now);
  switch (now?.termination_reason) {
    case 'OOMKILLED':
      if (lease.memory_limit_bytes !== null) return outOfMemory(lease);
      return { type: 'lost', crashed: true, message: `The model server was killed: ${why}.` };
    case 'FAILED':
      // One that its host had taken in crashed, and the next may do better; one without uid was refused for good.
      if (now.uid !== null) return { type: 'lost', crashed: true, message: `The instance failed: ${why}.` };
      return neverStarted(why);
    case 'NEVER_READY':
      return neverStarted(why);
    default:
      // What the row says already stays.
      return {
        type: 'lost',
        crashed: false,
        message: explainLoss(now, end),
        ...(!now?.termination_reason && { end }),
      };
  }
}

const reasonIn = (now: LeaseFacts | null) => now?.termination_message ?? 'no reason is known';

function explainLoss(now: LeaseFacts | null, end: InstanceEnd): string {
  if (now?.termination_reason === 'STOPPED') return 'The instance was stopped by an operator.';
  return `The instance was lost: ${now?.termination_message ?? end.message}.`;
}

function neverStarted(why: string): LeaseOutcome {
  const message =
    `No instance of the model could be started: ${why.replace(/\.$/, '')}. ` +
    'Ask the operators to look at the model, or choose another one.';
  return { type: 'failed', instanceBusy: false, failure: { type: 'Infrastructure', message } };
}

function outOfMemory(lease: LeaseFacts, end?: InstanceEnd): LeaseOutcome {
  const memoryLimitBytes = lease.memory_limit_bytes!;
  return {
    type: 'out-of-memory',
    memoryLimitBytes,
    message: 'The model server used more memory than it may and was killed.',
    ...(end && { end }),
  };
}

/** What the guard's stop means for the work, when it was not the instance that stopped it. */
export function outcomeOfStop(guard: LeaseGuard): LeaseOutcome | null {
  return guard.cause === 'lease over' ? { type: 'ended' } : null;
}
