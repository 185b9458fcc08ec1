import { serveClaims, type ClaimHints } from '../../db/queries/claims.js';
import { inClaims } from '../../db/queries/claims-turn.js';
import { readLeasedWork, type LeasedWork } from '../../db/queries/leased-work.js';
import { isInForce, releaseLease, type LeaseFacts } from '../../db/queries/leases.js';
import { moveWorkRequest } from '../../db/queries/request-progress.js';
import { storeShard, takeShard, type ComputedShard } from '../../db/queries/shards.js';
import { SMALL_PATH_CAP_MS } from '../../domain/work-request/small-path.js';
import type { ActivityDependencies } from '../dependencies.js';
import { ModelUnreachableError } from '../model-server/model-server.js';
import type { ProcessWorkRequestEffects, SmallOutcome } from '../process-work-request.effects.js';
import { sendHints } from '../send-hints.js';
import { computeShard, shardPlace } from './compute-and-store.js';
import { prepareShard } from './compute-shard.js';
import { explainOver, outcomeOfFailure, outcomeOfStop } from './explain-stop.js';
import { withRetired } from './end-work-request.activities.js';
import { guardLease, type LeaseGuard } from './lease-guard.js';
import { ShardAttempt } from './shard-attempt.js';

/** After a cut connection the host is given this long to say that the server died. */
const DEATH_NOTICE_MS = 1_000;

/** The whole work of a one-shard request on a ready instance, in two transactions and one call. */
export function createRunSmall(deps: ActivityDependencies): Pick<ProcessWorkRequestEffects, 'runSmall'> {
  return {
    async runSmall(leaseToken) {
      const lease = await readLeasedWork(deps.database, leaseToken);
      if (lease?.request_state === 'COMPLETED') return { type: 'completed' };
      if (!lease || !isInForce(lease)) return { type: 'ended' };
      const cap = AbortSignal.timeout(SMALL_PATH_CAP_MS);
      const guard = guardLease(deps, lease, cap);
      try {
        return await computeAndComplete(deps, lease, guard);
      } catch (error) {
        return await explainSmall(deps, lease, guard, error);
      } finally {
        guard.close();
      }
    },
  };
}

async function computeAndComplete(
  deps: ActivityDependencies,
  lease: LeasedWork,
  guard: LeaseGuard,
): Promise<SmallOutcome> {
  const address = await guard.untilReady();
  const shard = await takeShard(deps.database, shardPlace(lease), []);
  // Nothing to take: an earlier try of this same work stored it, and only the end is left.
  if (!shard) return { type: 'finished' };
  const attempt = new ShardAttempt(deps, shardPlace(lease), shard);
  const startedAt = performance.now();
  const prepare = () => prepareShard(deps.chemistry, lease, attempt, guard.signal);
  const prepared = await attempt.readAtOnce(prepare);
  const computed = await computeShard(deps, lease, prepared, address, guard.signal);
  // The cap is for the model: what is computed may be stored later, and what keeps it from that is not the instance.
  guard.close();
  const hints = await storeAndComplete(deps, lease, computed, performance.now() - startedAt);
  if (!hints) return { type: 'ended' };
  sendHints(deps, hints);
  return { type: 'completed' };
}

/** One transaction: the result, the end, the release, and the next claims served. */
function storeAndComplete(
  { database, settings }: ActivityDependencies,
  lease: LeaseFacts,
  computed: ComputedShard,
  tookMs: number,
): Promise<ClaimHints | null> {
  return inClaims(database, 'giving back', async (sql) => {
    if (!(await storeShard(sql, shardPlace(lease), computed))) return null;
    await sql.rows(
      `with first as (update model_instance set first_call_at = now() - $2 * interval '1 millisecond'
         where id = $4 and first_call_at is null)
       update work_request set attempts = attempts + 1, model_version = $3,
         instance_ready_at = coalesce(instance_ready_at, now() - $2 * interval '1 millisecond'),
         job_submitted_at = coalesce(job_submitted_at, now() - $2 * interval '1 millisecond') where id = $1`,
      [lease.request_id, tookMs, lease.model_version, lease.instance_id],
    );
    await moveWorkRequest(sql, lease.request_id, 'complete', { runKey: lease.run_key });
    const told = await releaseLease(sql, lease.lease_token, { outcome: 'finished' });
    const hints = await serveClaims(sql, settings);
    return told ? withRetired(hints, [told]) : hints;
  });
}

async function explainSmall(
  deps: ActivityDependencies,
  lease: LeaseFacts,
  guard: LeaseGuard,
  error: unknown,
): Promise<SmallOutcome> {
  if (error instanceof ModelUnreachableError) await guard.untilOver(DEATH_NOTICE_MS);
  const stopped = outcomeOfStop(guard);
  if (stopped) return stopped;
  if (guard.cause === 'instance over') return explainOver(deps, lease);
  const failed = outcomeOfFailure(error);
  if (failed) return failed;
  if (guard.cause === 'cancelled') {
    const message = 'The work took longer than the short path allows; it goes on with another instance.';
    return { type: 'lost', crashed: false, message };
  }
  if (error instanceof ModelUnreachableError) {
    return {
      type: 'lost',
      crashed: true,
      message: 'The model server closed the connection before its answer was complete.',
    };
  }
  throw error;
}
