import { setTimeout as sleep } from 'node:timers/promises';
import type { LeaseFacts } from '../../db/queries/leases.js';
import { moveWorkRequest } from '../../db/queries/request-progress.js';
import { storableText } from '../../db/storable-text.js';
import type { ActivityDependencies } from '../dependencies.js';

/** The version is asked for so long before the first rows are sent: a server with one thread answers it first then. */
const HEAD_START_MS = 10;

type BeginDependencies = Pick<ActivityDependencies, 'database' | 'modelServer' | 'log'>;

/** Work under a lease begins: its first call does not wait until that is written. */
export interface LeaseBeginning {
  /** Resolves when the first rows may be sent. */
  readonly mayCall: Promise<unknown>;
  /** Resolves when all is written, rejects when it can't be; before that no result may be stored. */
  readonly written: Promise<void>;
}

/** Writes that the lease's instance, which is ready, works from now on, and asks a new one for its version. */
export function beginLease(
  deps: BeginDependencies,
  lease: LeaseFacts,
  address: string,
  signal: AbortSignal,
): LeaseBeginning {
  const version = lease.model_version === null ? askVersion(deps, lease, address, signal) : null;
  const written = writeBeginning(deps, lease, version);
  // Whoever stores the first result is told of a failure; there may be none to store.
  written.catch(() => undefined);
  return { mayCall: version ? Promise.race([version, sleep(HEAD_START_MS)]) : Promise.resolve(), written };
}

async function writeBeginning(
  deps: BeginDependencies,
  lease: LeaseFacts,
  version: Promise<string | null> | null,
): Promise<void> {
  const { lease_token, request_id, run_key, instance_id } = lease;
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
  await deps.database.rows(
    `with instance as (update model_instance set model_version = $2 where id = $1)
     update work_request set model_version = $2 where id = $3`,
    [instance_id, stated, request_id],
  );
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
