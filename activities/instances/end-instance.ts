import { compressText } from '../../db/compressed-text.js';
import { serveClaims } from '../../db/queries/claims.js';
import { inClaims } from '../../db/queries/claims-turn.js';
import { recordInstanceEvent } from '../../db/queries/instance-events.js';
import type { ActivityDependencies } from '../dependencies.js';
import { sendHints } from '../send-hints.js';
import { readUsageTogether } from '../usage/read-usage-together.js';
import { recordUsage } from '../usage/record-usage.js';
import { toReading } from '../usage/to-reading.js';
import type { InstanceWatch } from './instance-watch.js';
import { keepHostEvents } from './keep-host-events.js';
import { readInstanceRow } from './read-instance-row.js';

/** Longer than most servers take to end by themselves; then the activity is tried again. */
const GONE_WITHIN_MS = 6_000;

/** Keeps what is gone from the host once the instance is deleted: its log, its events, and its use since the last pass. */
export async function keepEvidence(deps: ActivityDependencies, instanceId: string): Promise<void> {
  const log = await readOwnLog(deps, instanceId);
  await keepHostEvents(deps.database, await deps.host.listEvents(instanceId));
  const { instances } = await readUsageTogether(deps.host);
  const last = instances.filter((usage) => usage.instanceId === instanceId);
  if (log !== null) {
    await deps.database.rows(
      `insert into instance_log (expires_on, instance_id, log)
         select expires_on, id, $2 from model_instance where id = $1
       on conflict (expires_on, instance_id) do update set log = excluded.log, kept_at = now()`,
      [instanceId, await compressText(lastBytes(log, deps.settings.keptLogBytes))],
    );
  }
  await deps.database.transaction((sql) =>
    recordUsage(
      sql,
      last.map((usage) => toReading(deps, usage)),
    ),
  );
}

/** A host gives out logs by name, and another instance may have taken the name: its log is not this one's. */
async function readOwnLog(deps: ActivityDependencies, instanceId: string): Promise<string | null> {
  const row = await readInstanceRow(deps, instanceId);
  const seen = deps.instances.see(instanceId);
  return seen && seen.uid !== row?.uid ? null : deps.host.readLogs(instanceId);
}

/** The end of a log, from the start of a line. */
function lastBytes(log: string, bytes: number): string {
  const stored = Buffer.from(log);
  if (stored.length <= bytes) return log;
  const end = stored.subarray(stored.length - bytes);
  return end.subarray(end.indexOf(0x0a) + 1).toString('utf8');
}

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
  await deps.host.deleteInstance(instanceId, uid);
  if (await isGone(deps.instances, instanceId, uid, GONE_WITHIN_MS)) return;
  const limit = deps.settings.terminatingTimeoutSeconds;
  if ((row.terminating_seconds ?? 0) < limit)
    throw new Error(`instance ${instanceId} is still terminating at its host; it is asked again`);
  // What a dead node still shows is of no use to anyone. The pass over orphans goes on asking for its end, by uid.
  await deps.database.transaction((sql) =>
    recordInstanceEvent(sql, instanceId, 'INSTANCE_STUCK_TERMINATING', { seconds: limit, uid }),
  );
}

/** Waits for the watch to say that the host does not have it any more. @returns whether it did in time */
function isGone(
  instances: InstanceWatch,
  instanceId: string,
  uid: string,
  withinMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const there = () => instances.see(instanceId)?.uid === uid;
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
