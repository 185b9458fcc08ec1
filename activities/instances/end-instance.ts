import { serveClaims } from '../../db/queries/claims.js';
import { inClaims } from '../../db/queries/claims-turn.js';
import { recordInstanceEvent } from '../../db/queries/instance-events.js';
import type { ActivityDependencies } from '../dependencies.js';
import { sendHints } from '../send-hints.js';
import type { InstanceWatch } from './instance-watch.js';
import { readInstanceRow } from './read-instance-row.js';

/** Longer than most servers take to end by themselves; then the activity is tried again. */
const GONE_WITHIN_MS = 6_000;

/**
 * Returns when the host has let go of it: until then it takes room there, and its place is not free.
 * @throws Error while the host still has it, to be asked again
 */
export async function deleteInstance(deps: ActivityDependencies, instanceId: string): Promise<void> {
  await deps.database.rows(
    `update model_instance set state = 'TERMINATING', terminating_at = clock_timestamp()
      where id = $1 and state = 'SHOULD_TERMINATE'`,
    [instanceId],
  );
  const row = await readInstanceRow(deps, instanceId);
  // Whoever asked the host for it may have died before the row said so.
  const uid = row?.uid ?? deps.instances.see(instanceId)?.uid;
  if (!row || row.state === 'TERMINATED' || uid === undefined) return;
  if (await isLetGo(deps, instanceId, uid)) return;
  const limit = deps.settings.terminatingTimeoutSeconds;
  if ((row.terminating_seconds ?? 0) < limit)
    throw new Error(`instance ${instanceId} is still terminating at its host; it is asked again`);
  // What a dead node still shows is of no use to anyone. The pass over orphans goes on asking for its end, by uid.
  await deps.database.transaction((sql) =>
    recordInstanceEvent(sql, instanceId, 'INSTANCE_STUCK_TERMINATING', { seconds: limit, uid }),
  );
}

/** Asks the host to let go of it. @returns whether it has, within the time that an end usually takes */
async function isLetGo(
  { host, instances }: Pick<ActivityDependencies, 'host' | 'instances'>,
  instanceId: string,
  uid: string,
): Promise<boolean> {
  const { deleted } = await host.deleteInstance(instanceId, uid);
  return !deleted || isGone(instances, instanceId, uid, GONE_WITHIN_MS);
}

/** Waits for the watch to say that the host does not have it any more. @returns whether it did in time */
function isGone(
  instances: InstanceWatch,
  instanceId: string,
  uid: string,
  withinMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    // A watch that has not been told of all instances yet, or is blind, does not know that one is gone.
    const there = () => !instances.current || instances.see(instanceId)?.uid === uid;
    const end = () => {
      clearTimeout(timer);
      stop();
      resolve(!there());
    };
    const timer = setTimeout(end, withinMs);
    const stop = instances.onChange(instanceId, () => {
      if (!there()) end();
    });
    if (!there()) end();
  });
}

/** Frees its place, and serves whoever waits for one. */
export async function finishInstance(deps: ActivityDependencies, instanceId: string): Promise<void> {
  const hints = await inClaims(deps.database, 'giving back', async (sql) => {
    const ended = await sql.rows(
      `update model_instance set state = 'TERMINATED', terminated_at = clock_timestamp(), idle_since = null
        where id = $1 and state <> 'TERMINATED' returning id`,
      [instanceId],
    );
    if (ended.length > 0) await recordInstanceEvent(sql, instanceId, 'INSTANCE_TERMINATED');
    return serveClaims(sql, deps.settings);
  });
  sendHints(deps, hints);
}
