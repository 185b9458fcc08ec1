import type { Sql } from '../../db/database.js';
import { serveClaims, type ClaimHints } from '../../db/queries/claims.js';
import { inClaims } from '../../db/queries/claims-turn.js';
import { isOpen, readLease, releaseLease, type LeaseEnd, type LeaseFacts } from '../../db/queries/leases.js';
import { moveWorkRequest, recordRequestEvent } from '../../db/queries/request-progress.js';
import { forgiveAttempts } from '../../db/queries/shard-attempts.js';
import {
  pauseSeconds,
  settleAttempt,
  type LeaseOutcome,
  type Settlement,
} from '../../domain/work-request/settle-attempt.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { ClaimStatus, ProcessWorkRequestEffects, RequestRun } from '../process-work-request.effects.js';
import { sendHints } from '../send-hints.js';
import { claimAndServe, statusOfClaim } from './begin-work-request.activities.js';
import { shardPlace } from './compute-and-store.js';
import { completeRun, handOver, releaseLeases, withRetired } from './end-work-request.activities.js';

/** What follows from how an instance's work ended: another attempt, or the end of the request. */
export function createSettleLease(
  deps: ActivityDependencies,
): Pick<ProcessWorkRequestEffects, 'settleLease'> {
  return {
    async settleLease(leaseToken, outcome) {
      if (outcome.type === 'finished') {
        const lease = await readLease(deps.database, leaseToken);
        if (lease) await handOver(deps, (sql) => completeRun(sql, runOf(lease)));
      }
      if (outcome.type === 'ended' || outcome.type === 'finished') return { type: 'ended' };
      // A lost instance may have taken its host along: only what needs the host waits for it.
      const largestNodeBytes =
        outcome.type === 'out-of-memory' ? await deps.host.largestNodeMemoryBytes() : Infinity;
      return settle(deps, leaseToken, outcome, largestNodeBytes);
    },
  };
}

type Unfinished = Extract<LeaseOutcome, { type: 'out-of-memory' | 'lost' | 'failed' }>;

/** Outcomes that are not the end are settled in one transaction: released, counted, and claimed again or failed. */
async function settle(
  deps: ActivityDependencies,
  leaseToken: string,
  outcome: Unfinished,
  largestNodeBytes: number,
): Promise<ClaimStatus> {
  const settled = await inClaims(deps.database, 'giving back', async (sql) => {
    const lease = await readLease(sql, leaseToken);
    if (!lease || !isOpen(lease)) return null;
    // Settled before, and the answer was lost: its next claim is there.
    if (lease.lease_state === 'RELEASED') return claimNext(deps, sql, lease);
    const history = await readHistory(sql, lease);
    if (outcome.type !== 'failed')
      await forgiveAttempts(sql, shardPlace(lease), isWithoutBlame(outcome) ? 'nobody' : 'the first');
    const settlement = settleAttempt(outcome, { ...history, largestNodeBytes });
    const marked = await releaseLease(sql, leaseToken, { outcome: outcome.type, ...retirementFor(outcome) });
    const claimed = await applySettlement(deps, sql, lease, outcome, settlement);
    return {
      ...claimed,
      hints: withRetired(claimed.hints, marked ? [...claimed.retired, marked] : claimed.retired),
    };
  });
  if (!settled) return { type: 'ended' };
  sendHints(deps, settled.hints, settled.leaseToken ?? undefined);
  return settled.leaseToken ? statusOfClaim(deps, settled.leaseToken, settled.hints) : { type: 'ended' };
}

/** Locks the request: its row comes before those of its leases and shards, as where shards are stored. */
async function readHistory(
  sql: Sql,
  lease: LeaseFacts,
): Promise<{ memoryKills: number; attemptsWithoutProgress: number }> {
  const [row] = await sql.rows<{ memory_kills: number; attempts_without_progress: number }>(
    `select memory_kills, attempts_without_progress from work_request where id = $1 for update`,
    [lease.request_id],
  );
  return { memoryKills: row!.memory_kills, attemptsWithoutProgress: row!.attempts_without_progress };
}

/** Instances whose machine was lost in the last minutes before they did any work for this run; crashes are counted apart. */
async function countIdleLosses(sql: Sql, { requestId, runKey }: RequestRun): Promise<number> {
  const [row] = await sql.rows<{ losses: number }>(
    `select count(*)::integer as losses from instance_lease l join model_instance i on i.id = l.instance_id
      where l.request_id = $1 and l.run_key = $2 and l.state = 'RELEASED' and l.outcome = 'lost' and l.shards = 0
        and i.termination_reason is distinct from 'FAILED'
        and l.released_at > clock_timestamp() - interval '10 minutes'`,
    [requestId, runKey],
  );
  return row!.losses;
}

/** Dead and doubtful instances are never lent again; one that gave a wrong answer at once may be. */
function retirementFor(outcome: Unfinished): Pick<LeaseEnd, 'retire' | 'retireMessage'> {
  if (outcome.type === 'failed') return outcome.instanceBusy ? { retire: 'FAILED' } : {};
  if (outcome.end) return { retire: outcome.end.reason, retireMessage: outcome.end.message };
  if (outcome.type === 'out-of-memory') return { retire: 'OOMKILLED' };
  return { retire: outcome.crashed ? 'FAILED' : 'LOST' };
}

const runOf = (lease: LeaseFacts): RequestRun => ({ requestId: lease.request_id, runKey: lease.run_key });

interface Settled {
  readonly leaseToken: string | null;
  readonly hints: ClaimHints;
  readonly retired: readonly string[];
}

async function applySettlement(
  deps: ActivityDependencies,
  sql: Sql,
  lease: LeaseFacts,
  outcome: Unfinished,
  settlement: Settlement,
): Promise<Settled> {
  const run = runOf(lease);
  await sql.rows(
    `update work_request set attempts = attempts + 1, attempts_without_progress = attempts_without_progress + $2,
       memory_kills = memory_kills + $3, memory_bytes = coalesce($4::bigint, memory_bytes) where id = $1`,
    [
      run.requestId,
      outcome.type === 'lost' && !isWithoutBlame(outcome) ? 1 : 0,
      outcome.type === 'out-of-memory' ? 1 : 0,
      settlement.type === 'again' ? settlement.memoryBytes : null,
    ],
  );
  if (settlement.type === 'fail') {
    await moveWorkRequest(sql, run.requestId, 'fail', { runKey: run.runKey, failure: settlement.failure });
    const retired = await releaseLeases(sql, run, 'failed');
    return { leaseToken: null, hints: await serveClaims(sql, deps.settings), retired };
  }
  if (!(await isComputed(sql, run)))
    await moveWorkRequest(sql, run.requestId, 'wait again', { runKey: run.runKey });
  await recordRequestEvent(
    sql,
    run.requestId,
    outcome.type === 'out-of-memory' ? 'out-of-memory' : 'instance-lost',
    {
      because: settlement.because,
      instance_id: lease.instance_id,
      ...(settlement.memoryBytes !== null && { memory_bytes: settlement.memoryBytes }),
    },
  );
  return { ...(await claimNext(deps, sql, lease)), retired: [] };
}

/** Does another instance go on with the request? */
async function isComputed(sql: Sql, { requestId, runKey }: RequestRun): Promise<boolean> {
  const others = await sql.rows(
    `select from instance_lease where request_id = $1 and run_key = $2 and state = 'GRANTED' and begun_at is not null`,
    [requestId, runKey],
  );
  return others.length > 0;
}

/** A machine that was lost says nothing about the input; a server that died may have died of it. */
function isWithoutBlame(outcome: Unfinished): boolean {
  return outcome.type === 'lost' && !outcome.crashed;
}

/** The next instance, at once, or later when one after the other is lost without having done anything. */
async function claimNext(deps: ActivityDependencies, sql: Sql, lease: LeaseFacts) {
  const run = runOf(lease);
  const pause = pauseSeconds(await countIdleLosses(sql, run));
  return claimAndServe(deps, sql, run, lease.slice, pause);
}
