import type { LeaseFacts } from '../../db/queries/leases.js';
import { moveWorkRequest } from '../../db/queries/request-progress.js';
import { storableText } from '../../db/storable-text.js';
import type { ActivityDependencies } from '../dependencies.js';

type BeginDependencies = Pick<ActivityDependencies, 'database' | 'modelServer' | 'log'>;

/**
 * Writes that the lease's instance, which is ready, works from now on, and asks a new one for its version. The first
 * rows need not wait for any of it: the question is on its way before them, and a server with one thread answers it first.
 * @returns when all is written; before that no result may be stored
 */
export function beginLease(
  deps: BeginDependencies,
  lease: LeaseFacts,
  address: string,
  signal: AbortSignal,
): Promise<void> {
  const version = lease.model_version === null ? askVersion(deps, lease, address, signal) : null;
  const written = writeBeginning(deps, lease, version);
  // Whoever stores the first result is told of a failure; there may be none to store.
  written.catch(() => undefined);
  return written;
}

async function writeBeginning(
  deps: BeginDependencies,
  lease: LeaseFacts,
  version: Promise<string | null> | null,
): Promise<void> {
  const { lease_token, request_id, run_key, instance_id } = lease;
  // By itself: whoever holds the instance may be about to write into its request, which this one holds next.
  await deps.database.rows(
    `update model_instance set first_call_at = clock_timestamp() where id = $1 and first_call_at is null`,
    [instance_id],
  );
  await deps.database.transaction(async (sql) => {
    await sql.rows(
      `update work_request set instance_ready_at = coalesce(instance_ready_at, clock_timestamp()),
         job_submitted_at = coalesce(job_submitted_at, clock_timestamp()), model_version = coalesce($2, model_version)
        where id = $1`,
      [request_id, lease.model_version],
    );
    await sql.rows(`update instance_lease set begun_at = clock_timestamp() where lease_token = $1`, [
      lease_token,
    ]);
    await moveWorkRequest(sql, request_id, 'run', { runKey: run_key, event: { instance_id } });
  });
  const stated = await version;
  if (stated === null) return;
  await deps.database.rows(`update model_instance set model_version = $2 where id = $1`, [
    instance_id,
    stated,
  ]);
  await deps.database.rows(`update work_request set model_version = $2 where id = $1`, [request_id, stated]);
}

/** The version the server states; null when it states none that can be kept, which is told and harms nobody. */
async function askVersion(
  { modelServer, log }: BeginDependencies,
  { model_id }: LeaseFacts,
  address: string,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const stated = await modelServer.readVersion(address, model_id, signal);
    return stated === null ? null : storableText(stated);
  } catch (error) {
    log.warn('the model did not state its version', { model: model_id, error: (error as Error).message });
    return null;
  }
}
