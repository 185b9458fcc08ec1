import { ApplicationFailure } from '@temporalio/activity';
import type { Sql } from '../../db/database.js';
import { serveClaims, type ClaimHints } from '../../db/queries/claims.js';
import { inClaims } from '../../db/queries/claims-turn.js';
import { readOpenLeases, releaseLease } from '../../db/queries/leases.js';
import { moveWorkRequest } from '../../db/queries/request-progress.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { ProcessWorkRequestEffects, RequestRun } from '../process-work-request.effects.js';
import { sendHints } from '../send-hints.js';

type End = Pick<ProcessWorkRequestEffects, 'endWorkRequest' | 'releaseRun' | 'abandonWorkRequest'>;

/** How work ends: completed, ended by another hand, or given up. */
export function createEndWorkRequest(deps: ActivityDependencies): End {
  return {
    endWorkRequest: (run) => handOver(deps, (sql) => completeRun(sql, run)),
    releaseRun: (run) => handOver(deps, (sql) => releaseLeases(sql, run, 'ended')),
    abandonWorkRequest: (run) =>
      handOver(deps, async (sql) => {
        await moveWorkRequest(sql, run.requestId, 'cancel', { runKey: run.runKey });
        return releaseLeases(sql, run, 'cancelled');
      }),
  };
}

/** Runs under the claim lock, serves the next claims in the same transaction, tells them after it. */
export async function handOver(
  deps: ActivityDependencies,
  work: (sql: Sql) => Promise<readonly string[]>,
): Promise<void> {
  const hints = await inClaims(deps.database, 'giving back', async (sql) => {
    const retired = await work(sql);
    return withRetired(await serveClaims(sql, deps.settings), retired);
  });
  sendHints(deps, hints);
}

/** The same hints, with more instances to tell: they were marked to end, or are free for a short time only. */
export function withRetired(hints: ClaimHints, retired: readonly string[]): ClaimHints {
  return { ...hints, retired: [...hints.retired, ...retired] };
}

/**
 * Completes a request whose shards are all stored, and gives its instances back.
 * @throws ApplicationFailure that is not retried when a shard is missing
 */
export async function completeRun(sql: Sql, run: RequestRun): Promise<readonly string[]> {
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
 * computing, and the protocol can't stop it. One that is only starting becomes warm for the next request.
 * @returns instances to tell
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
    `select from instance_lease l join work_request r on r.id = l.request_id
       join model_instance i on i.id = l.instance_id and i.state = 'ACTIVE'
       join work_request_shard s on s.expires_on = r.expires_on and s.request_id = $1 and s.state = 'RUNNING'
         and s.lease_token = l.lease_token
      where l.lease_token = $2 limit 1`,
    [requestId, leaseToken],
  );
  return busy.length > 0;
}
