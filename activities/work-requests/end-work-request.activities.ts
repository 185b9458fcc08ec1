import { ApplicationFailure } from '@temporalio/activity';
import type { Sql } from '../../db/database.js';
import { lockClaims, serveClaims, type ClaimHints } from '../../db/queries/claims.js';
import {
  isInForce,
  readLease,
  readOpenLeases,
  releaseLease,
  type LeaseFacts,
} from '../../db/queries/leases.js';
import { moveWorkRequest, recordRequestEvent } from '../../db/queries/request-progress.js';
import type { TerminationReason } from '../../domain/instance/instance.js';
import {
  settleAttempt,
  type LeaseOutcome,
  type Settlement,
} from '../../domain/work-request/settle-attempt.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { ClaimStatus, ProcessWorkRequestEffects, RequestRun } from '../process-work-request.effects.js';
import { sendHints } from '../send-hints.js';
import { claimAndServe, statusOfClaim } from './begin-work-request.activities.js';

type End = Pick<
  ProcessWorkRequestEffects,
  'settleLease' | 'endWorkRequest' | 'releaseRun' | 'abandonWorkRequest'
>;

/** How work ends: settled for another attempt, completed, failed, or given up. */
export function createEndWorkRequest(deps: ActivityDependencies): End {
  const { database, settings } = deps;

  /** Runs under the claim lock, serves the next claims in the same transaction, tells them after it. */
  async function handOver(work: (sql: Sql) => Promise<readonly string[]>): Promise<void> {
    const hints = await database.transaction(async (sql) => {
      await lockClaims(sql);
      const retired = await work(sql);
      return withRetired(await serveClaims(sql, settings), retired);
    });
    sendHints(deps, hints);
  }

  return {
    async settleLease(leaseToken, outcome) {
      if (outcome.type === 'finished') {
        const lease = await readLease(database, leaseToken);
        if (lease)
          await handOver((sql) => completeRun(sql, { requestId: lease.request_id, runKey: lease.run_key }));
      }
      if (outcome.type === 'ended' || outcome.type === 'finished') return { type: 'ended' };
      const largestNodeBytes = await deps.host.largestNodeMemoryBytes();
      return settle(deps, leaseToken, outcome, largestNodeBytes);
    },
    endWorkRequest: (run) => handOver((sql) => completeRun(sql, run)),
    releaseRun: (run) => handOver((sql) => releaseLeases(sql, run, 'ended')),
    abandonWorkRequest: (run) =>
      handOver(async (sql) => {
        await moveWorkRequest(sql, run.requestId, 'cancel', { runKey: run.runKey });
        return releaseLeases(sql, run, 'cancelled');
      }),
  };
}

async function completeRun(sql: Sql, run: RequestRun): Promise<readonly string[]> {
  const [request] = await sql.rows<{ shards_done: number; shard_count: number }>(
    `select shards_done, shard_count from work_request where id = $1 and run_key = $2
        and state in ('SCHEDULING', 'PROCESSING')`,
    [run.requestId, run.runKey],
  );
  if (request && request.shards_done < request.shard_count) {
    // Asking again would not store them: the run fails, and the reconciler starts it anew.
    throw ApplicationFailure.nonRetryable(
      `request ${run.requestId} can't be completed: ${request.shard_count - request.shards_done} of its shards are not stored`,
    );
  }
  if (request) await moveWorkRequest(sql, run.requestId, 'complete', { runKey: run.runKey });
  return releaseLeases(sql, run, 'finished');
}

/**
 * Gives back every instance of a run. One that was in the middle of a shard is ended: its server may still be
 * computing, and the protocol can't stop it.
 * @returns instances that were marked to end
 */
export async function releaseLeases(sql: Sql, run: RequestRun, outcome: string): Promise<readonly string[]> {
  const retired: string[] = [];
  for (const { lease_token, state } of await readOpenLeases(sql, run.requestId, run.runKey)) {
    const busy = state === 'GRANTED' && (await isBusy(sql, run.requestId, lease_token));
    const marked = await releaseLease(sql, lease_token, {
      outcome,
      ...(busy && { retire: 'STOPPED' as const }),
    });
    if (marked) retired.push(marked);
  }
  return retired;
}

async function isBusy(sql: Sql, requestId: number, leaseToken: string): Promise<boolean> {
  const busy = await sql.rows(
    `select from work_request_shard s join work_request r on r.id = $1
      where s.expires_on = r.expires_on and s.request_id = $1 and s.state = 'RUNNING' and s.lease_token = $2 limit 1`,
    [requestId, leaseToken],
  );
  return busy.length > 0;
}

type Unfinished = Extract<LeaseOutcome, { type: 'out-of-memory' | 'lost' | 'failed' }>;

async function settle(
  deps: ActivityDependencies,
  leaseToken: string,
  outcome: Unfinished,
  largestNodeBytes: number,
): Promise<ClaimStatus> {
  const settled = await deps.database.transaction(async (sql) => {
    await lockClaims(sql);
    const lease = await readLease(sql, leaseToken);
    if (!lease || !isInForce(lease)) return null;
    const settlement = settleAttempt(outcome, { ...(await readHistory(sql, lease)), largestNodeBytes });
    const retire = retirementFor(outcome);
    const marked = await releaseLease(sql, leaseToken, { outcome: outcome.type, ...(retire && { retire }) });
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

/** Locks the request: its row comes before its leases' rows, as where shards are stored. */
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

/** Dead and doubtful instances are never lent again; one that gave a wrong answer at once may be. */
function retirementFor(outcome: Unfinished): TerminationReason | null {
  if (outcome.type === 'out-of-memory') return 'OOMKILLED';
  if (outcome.type === 'lost') return outcome.crashed ? 'FAILED' : 'LOST';
  return outcome.instanceBusy ? 'FAILED' : null;
}

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
  const run = { requestId: lease.request_id, runKey: lease.run_key };
  await sql.rows(
    `update work_request set attempts = attempts + 1, attempts_without_progress = attempts_without_progress + $2,
       memory_kills = memory_kills + $3, memory_bytes = coalesce($4::bigint, memory_bytes) where id = $1`,
    [
      run.requestId,
      outcome.type === 'lost' ? 1 : 0,
      outcome.type === 'out-of-memory' ? 1 : 0,
      settlement.type === 'again' ? settlement.memoryBytes : null,
    ],
  );
  if (settlement.type === 'fail') {
    await moveWorkRequest(sql, run.requestId, 'fail', { runKey: run.runKey, failure: settlement.failure });
    const retired = await releaseLeases(sql, run, 'failed');
    return { leaseToken: null, hints: await serveClaims(sql, deps.settings), retired };
  }
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
  return { ...(await claimAndServe(deps, sql, run, lease.slice)), retired: [] };
}

function withRetired(hints: ClaimHints, retired: readonly string[]): ClaimHints {
  return { ...hints, retired: [...hints.retired, ...retired] };
}
