import { inClaims } from '../../db/queries/claims-turn.js';
import { nothingToTell, serveClaims, tryLockClaims, type ClaimHints } from '../../db/queries/claims.js';
import type { Sql } from '../../db/database.js';
import {
  insertClaim,
  isClaimNeedless,
  readLease,
  releaseLease,
  type LeaseFacts,
} from '../../db/queries/leases.js';
import { moveWorkRequest, recordRequestEvent } from '../../db/queries/request-progress.js';
import { tellPause, unknownWait } from '../../domain/claim/tell-wait.js';
import type { WorkRequestState } from '../../domain/work-request/work-request.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { ClaimStatus, ProcessWorkRequestEffects, RequestRun } from '../process-work-request.effects.js';
import { sendHints } from '../send-hints.js';

type Begin = Pick<ProcessWorkRequestEffects, 'beginWorkRequest' | 'claimSlice' | 'readClaim'>;

/** Planning a request and claiming instances for it. */
export function createBeginWorkRequest(deps: ActivityDependencies): Begin {
  return {
    async beginWorkRequest(run) {
      const begun = await inClaims(deps.database, 'asking', (sql) => begin(deps, sql, run));
      if (!begun) return { claim: { type: 'ended' }, slices: 0 };
      sendHints(deps, begun.hints, begun.leaseToken);
      return { claim: await statusOfClaim(deps, begun.leaseToken, begun.hints), slices: begun.slices };
    },
    async claimSlice(run, slice) {
      const claimed = await inClaims(deps.database, 'asking', async (sql) => {
        if (!(await readOpenRun(sql, run))) return null;
        return claimAndServe(deps, sql, run, slice);
      });
      if (!claimed) return { type: 'ended' };
      sendHints(deps, claimed.hints, claimed.leaseToken);
      return statusOfClaim(deps, claimed.leaseToken, claimed.hints);
    },
    async readClaim(leaseToken) {
      const known = await readLease(deps.database, leaseToken);
      // Whoever was granted an instance holds it while this is read: only those who wait wait for the claims.
      if (known?.lease_state !== 'WAITING') return planned(deps, known, nothingToTell);
      if (await giveUpNeedless(deps, leaseToken)) return { type: 'finished' };
      // Thousands may wait and look now and then: they serve claims only while nobody else does.
      const hints = await deps.database.transaction(async (sql) =>
        (await tryLockClaims(sql)) ? serveClaims(sql, deps.settings) : nothingToTell,
      );
      sendHints(deps, hints, leaseToken);
      return statusOfClaim(deps, leaseToken, hints);
    },
  };
}

/** Ends a claim that waits for nothing any more. @returns whether it did */
async function giveUpNeedless({ database }: ActivityDependencies, leaseToken: string): Promise<boolean> {
  if (!(await isClaimNeedless(database, leaseToken))) return false;
  return inClaims(database, 'giving back', async (sql) => {
    const isNeedless = await isClaimNeedless(sql, leaseToken);
    if (isNeedless) await releaseLease(sql, leaseToken, { outcome: 'not needed' });
    return isNeedless;
  });
}

interface Claimed {
  readonly leaseToken: string;
  readonly hints: ClaimHints;
}

interface OpenRun {
  readonly state: WorkRequestState;
  readonly shard_count: number;
  readonly max_instances: number;
  readonly enabled: boolean;
}

async function begin(
  deps: ActivityDependencies,
  sql: Sql,
  run: RequestRun,
): Promise<(Claimed & { slices: number }) | null> {
  const open = await readOpenRun(sql, run);
  if (!open) return null;
  // Of a model that is switched off nothing can be scheduled: the request stays in the queue.
  if (open.state === 'QUEUED' && open.enabled)
    await moveWorkRequest(sql, run.requestId, 'plan', { runKey: run.runKey });
  const limit = open.max_instances < 0 ? deps.settings.instancesPerRequest : Math.max(1, open.max_instances);
  const slices = Math.min(open.shard_count, limit, deps.settings.instancesPerRequest);
  return { ...(await claimAndServe(deps, sql, run, 0)), slices: Math.max(1, slices) };
}

/** The run's request, if it is this run's and not finished. */
async function readOpenRun(sql: Sql, { requestId, runKey }: RequestRun): Promise<OpenRun | null> {
  const [open] = await sql.rows<OpenRun>(
    `select r.state, r.shard_count, m.max_instances, m.enabled from work_request r join model m on m.id = r.model_id
      where r.id = $1 and r.run_key = $2 and r.state in ('QUEUED', 'SCHEDULING', 'PROCESSING')`,
    [requestId, runKey],
  );
  return open ?? null;
}

/** Claims for a slice and serves whoever is next, which may be this very claim. Needs `lockClaims`. */
export async function claimAndServe(
  deps: Pick<ActivityDependencies, 'settings'>,
  sql: Sql,
  run: RequestRun,
  slice: number,
  pauseSeconds = 0,
): Promise<Claimed> {
  const leaseToken = await insertClaim(sql, run, slice, pauseSeconds);
  const hints = await serveClaims(sql, deps.settings);
  const waiting = hints.waiting.get(leaseToken);
  if (waiting) {
    await recordRequestEvent(sql, run.requestId, 'waiting', {
      because: waiting.because,
      position: waiting.position,
    });
  }
  return { leaseToken, hints };
}

/** Where a claim stands after the claims were served. */
export async function statusOfClaim(
  deps: Pick<ActivityDependencies, 'database' | 'modelSpeeds'>,
  leaseToken: string,
  hints: ClaimHints,
): Promise<ClaimStatus> {
  return planned(deps, await readLease(deps.database, leaseToken), hints);
}

/** A request whose model was switched off when it began is planned when it gets its instance. */
async function planned(
  deps: Pick<ActivityDependencies, 'database' | 'modelSpeeds'>,
  lease: LeaseFacts | null,
  hints: ClaimHints,
): Promise<ClaimStatus> {
  const status = statusOf(deps, lease, hints);
  if (status.type === 'granted' && lease?.request_state === 'QUEUED')
    await moveWorkRequest(deps.database, lease.request_id, 'plan', { runKey: lease.run_key });
  return status;
}

function statusOf(
  { modelSpeeds }: Pick<ActivityDependencies, 'modelSpeeds'>,
  lease: LeaseFacts | null,
  hints: ClaimHints,
): ClaimStatus {
  if (!lease || lease.lease_state === 'RELEASED' || lease.run_key !== lease.current_run_key)
    return { type: 'ended' };
  if (lease.lease_state === 'WAITING') {
    const wait = lease.pause_seconds > 0 ? tellPause(lease.pause_seconds) : unknownWait;
    const { because, position } = hints.waiting.get(lease.lease_token) ?? wait;
    return { type: 'waiting', leaseToken: lease.lease_token, because, position };
  }
  const ready = lease.instance_state === 'ACTIVE';
  const small = ready && modelSpeeds.isSmall(lease.model_id, lease.row_count, lease.shard_count);
  return { type: 'granted', leaseToken: lease.lease_token, instanceId: lease.instance_id!, ready, small };
}
