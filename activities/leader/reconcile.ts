import { lockClaims, serveClaims } from '../../db/queries/claims.js';
import type { ActivityDependencies } from '../dependencies.js';
import { sendHints } from '../send-hints.js';
import { releaseLeases } from '../work-requests/end-work-request.activities.js';
import type { AssertLeading } from '../instances/write-observations.js';
import { repeatGrants } from './repeat-grants.js';

/** What one pass mended; all zero on a quiet day. */
export interface Reconciliation {
  requestsStarted: number;
  requestsRunAnew: number;
  instancesStarted: number;
  leasesReleased: number;
  orphansEnded: number;
}

/** A row this young may have a workflow that can't be seen yet. */
const YOUNG_SECONDS = 10;

export type ReconcilerDependencies = Omit<ActivityDependencies, 'modelServer' | 'modelSpeeds' | 'chemistry'>;

/** Makes rows, workflows and the host agree again: the rows are right, the others are started, told or ended. */
export function createReconciler(deps: ReconcilerDependencies, assertLeading: AssertLeading) {
  return async function reconcile(): Promise<Reconciliation> {
    await deps.database.transaction(assertLeading);
    let leasesReleased = await releaseStaleLeases(deps, assertLeading);
    // What needs the database and the host alone comes first: Temporal may be away for long.
    const orphansEnded = await endOrphans(deps);
    await serveWaiters(deps);
    // Whoever led before may have died between a grant and its word.
    await repeatGrants(deps);
    const running = await deps.workflows.listRunning();
    await keepObserver(deps, running);
    const requests = await restartRequests(deps, running);
    // A new run may wait for the very places that its fenced one holds: not until the next pass.
    if (requests.requestsRunAnew > 0) leasesReleased += await releaseStaleLeases(deps, assertLeading);
    const instancesStarted = await restartInstances(deps, running);
    return { ...requests, instancesStarted, leasesReleased, orphansEnded };
  };
}

/** Usage is sampled for as long as anyone leads, also after its workflow was ended by hand or forgotten. */
async function keepObserver(
  { workflows, log }: ReconcilerDependencies,
  running: ReadonlySet<string>,
): Promise<void> {
  if (running.has(workflows.usageObserverWorkflowId)) return;
  await workflows.startUsageObserver();
  log.info('the observer of usage was started');
}

/** Serves the waiting claims as the rows are now, and tells whom it concerns. */
export async function serveWaiters(deps: ReconcilerDependencies): Promise<void> {
  const hints = await deps.database.transaction(async (sql) => {
    await lockClaims(sql);
    return serveClaims(sql, deps.settings);
  });
  sendHints(deps, hints);
}

/** Leases whose request ended or was taken over by another run, and nobody gave back. */
async function releaseStaleLeases(
  deps: ReconcilerDependencies,
  assertLeading: AssertLeading,
): Promise<number> {
  const stale = await deps.database.rows<{ request_id: number; run_key: string }>(
    `select distinct l.request_id, l.run_key from instance_lease l left join work_request r on r.id = l.request_id
      where l.state <> 'RELEASED' and (r.id is null or r.run_key <> l.run_key
        or (r.state in ('COMPLETED', 'FAILED', 'CANCELLED') and r.processed_at < clock_timestamp() - interval '${YOUNG_SECONDS} seconds'))`,
  );
  for (const { request_id: requestId, run_key: runKey } of stale) {
    const run = { requestId, runKey };
    const hints = await deps.database.transaction(async (sql) => {
      await lockClaims(sql);
      await assertLeading(sql);
      const retired = await releaseLeases(sql, run, 'reconciled');
      const served = await serveClaims(sql, deps.settings);
      return { ...served, retired: [...served.retired, ...retired] };
    });
    sendHints(deps, hints);
    // A workflow that waits for what was released would find out only when it looks next.
    void deps.workflows
      .signalRequest(run)
      .catch(({ message }: Error) =>
        deps.log.warn('a release could not be told', { ...run, error: message }),
      );
  }
  return stale.length;
}

interface OpenRequest {
  readonly id: number;
  readonly run_key: string;
  readonly model_id: string;
  readonly user_id: string;
  readonly row_count: number;
}

/** Open requests without a running workflow: started, or run anew when their workflow closed under them. */
async function restartRequests(
  deps: ReconcilerDependencies,
  running: ReadonlySet<string>,
): Promise<{ requestsStarted: number; requestsRunAnew: number }> {
  const open = await deps.database.rows<OpenRequest>(
    `select id, run_key, model_id, user_id, row_count from work_request
      where state in ('QUEUED', 'SCHEDULING', 'PROCESSING')
        and created_at < clock_timestamp() - interval '${YOUNG_SECONDS} seconds'`,
  );
  let requestsStarted = 0;
  let requestsRunAnew = 0;
  for (const request of open) {
    const run = { requestId: request.id, runKey: request.run_key };
    if (running.has(deps.workflows.requestWorkflowId(run))) continue;
    const existence = await deps.workflows.existenceOfRequest(run);
    if (existence === 'running') continue;
    const runKey = existence === 'closed' ? await newRunKey(deps, request) : request.run_key;
    if (runKey === null) continue;
    await deps.workflows.startRequest({
      requestId: request.id,
      runKey,
      modelId: request.model_id,
      userId: request.user_id,
      rowCount: request.row_count,
    });
    if (existence === 'closed') requestsRunAnew += 1;
    else requestsStarted += 1;
  }
  return { requestsStarted, requestsRunAnew };
}

/** A new key fences off whatever is left of the closed run. Null when the request moved meanwhile. */
async function newRunKey(deps: ReconcilerDependencies, request: OpenRequest): Promise<string | null> {
  const [renewed] = await deps.database.rows<{ run_key: string }>(
    `update work_request set run_key = gen_random_uuid()::text, last_updated = now()
      where id = $1 and run_key = $2 and state in ('QUEUED', 'SCHEDULING', 'PROCESSING') returning run_key`,
    [request.id, request.run_key],
  );
  if (renewed) deps.log.warn('a request lost its workflow and runs anew', { requestId: request.id });
  return renewed?.run_key ?? null;
}

async function restartInstances(deps: ReconcilerDependencies, running: ReadonlySet<string>): Promise<number> {
  const live = await deps.database.rows<{ id: string; model_id: string }>(
    `select id, model_id from model_instance
      where state <> 'TERMINATED' and created_at < clock_timestamp() - interval '${YOUNG_SECONDS} seconds'`,
  );
  const lost = live.filter(({ id }) => !running.has(deps.workflows.instanceWorkflowId(id)));
  for (const { id, model_id } of lost)
    await deps.workflows.startInstance({ instanceId: id, modelId: model_id });
  return lost.length;
}

/**
 * Instances at the host that no live row owns: ended by uid once they are old enough. What counts is their age at the
 * host and not how long this leader has known them: however often leaders change, their time comes. A row is written
 * before its instance is asked for, so rows that are read after the list know the owner of everything on it.
 */
async function endOrphans(deps: ReconcilerDependencies): Promise<number> {
  if (!deps.instances.current) return 0;
  const observed = deps.instances.list();
  const owned = await deps.database.rows<{ id: string; uid: string | null }>(
    `select id, uid from model_instance where state <> 'TERMINATED'`,
  );
  const owners = new Map(owned.map(({ id, uid }) => [id, uid]));
  const latest = Date.now() - deps.settings.orphanSeconds * 1000;
  let ended = 0;
  for (const { instanceId, uid, createdAt } of observed) {
    const owner = owners.get(instanceId);
    const isOwned = owner === null || owner === uid;
    if (isOwned || Date.parse(createdAt) > latest) continue;
    if (await endOrphan(deps, instanceId, uid)) ended += 1;
  }
  return ended;
}

/** One that the host will not give up keeps nobody else from being mended: the next pass asks again. */
async function endOrphan(deps: ReconcilerDependencies, instanceId: string, uid: string): Promise<boolean> {
  try {
    await deps.host.deleteInstance(instanceId, uid);
  } catch (error) {
    const why = (error as Error).message;
    deps.log.warn('an instance without a row could not be ended; the next pass tries again', {
      instanceId,
      uid,
      error: why,
    });
    return false;
  }
  deps.log.warn('an instance without a row was ended', { instanceId, uid });
  return true;
}
