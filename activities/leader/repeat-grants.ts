import type { ActivityDependencies } from '../dependencies.js';

/** A grant that nobody acknowledged for this long is told again: the first word may be lost. */
const UNHEARD_SECONDS = 5;

/** Tells again every grant whose request has not begun to use it. */
export async function repeatGrants({
  database,
  workflows,
  log,
}: Pick<ActivityDependencies, 'database' | 'workflows' | 'log'>): Promise<void> {
  const unheard = await database.rows<{ request_id: number; run_key: string }>(
    `select l.request_id, l.run_key from instance_lease l
      where l.state = 'GRANTED' and l.acknowledged_at is null
        and l.granted_at < clock_timestamp() - interval '${UNHEARD_SECONDS} seconds'`,
  );
  for (const { request_id, run_key } of unheard) {
    await workflows.signalRequest({ requestId: request_id, runKey: run_key }).catch((error: Error) => {
      log.warn('a grant could not be told again', { requestId: request_id, error: error.message });
    });
  }
}
