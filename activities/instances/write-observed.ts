import type { Sql } from '../../db/database.js';
import { recordInstanceEvent } from '../../db/queries/instance-events.js';
import { markToEnd } from '../../db/queries/leases.js';
import { storableJson, storableText } from '../../db/storable-text.js';
import { instanceStatesBefore, isUsable, type InstanceState } from '../../domain/instance/instance.js';
import { judgeEnd } from '../../domain/instance/life.js';
import type { ObservedInstance } from '../../hosts/model-host.js';

/**
 * Writes into an instance's row what its host shows of it. Older observations and those of another uid change nothing.
 * @returns whether there is news for its workflow: another state, another reason to wait, health lost or found, or its end
 */
export async function writeObserved(sql: Sql, seen: ObservedInstance, isReady: boolean): Promise<boolean> {
  const row = await updateRow(sql, seen, isReady);
  if (!row) return false;
  if (row.is_new) await recordTaken(sql, seen.instanceId, seen.uid);
  const end = judgeEnd(seen);
  if (end) {
    if (!(await markToEnd(sql, seen.instanceId, end.reason, end.message))) return false;
    await recordInstanceEvent(sql, seen.instanceId, 'INSTANCE_ENDED', describe(seen));
  } else if (row.state === 'ACTIVE' && row.was !== 'ACTIVE') {
    await writeReady(sql, seen, row.leased);
  } else {
    if (!isNews(row)) return false;
    await recordInstanceEvent(sql, seen.instanceId, 'INSTANCE_CHANGED', describe(seen));
  }
  return true;
}

function isNews(row: UpdatedRow): boolean {
  const waitsForOther = isUsable(row.state) && row.waiting_reason !== row.waited_for;
  return row.state !== row.was || waitsForOther || row.unready !== row.was_unready;
}

/** Its host has taken the instance: written once, by whoever hears of it first, its creator or the leader. */
export function recordTaken(sql: Sql, instanceId: string, uid: string): Promise<void> {
  return recordInstanceEvent(sql, instanceId, 'INSTANCE_POD_CREATED', { uid });
}

interface UpdatedRow {
  /** It had no uid: its creator has not written yet that its host has taken it. */
  readonly is_new: boolean;
  readonly state: InstanceState;
  readonly was: InstanceState;
  readonly waiting_reason: string | null;
  readonly waited_for: string | null;
  readonly unready: boolean;
  readonly was_unready: boolean;
  readonly leased: boolean;
}

async function updateRow(sql: Sql, seen: ObservedInstance, isReady: boolean): Promise<UpdatedRow | null> {
  const { instanceId, uid, resourceVersion, address, node, waiting, phase, lastTermination, pod } = seen;
  const [row] = await sql.rows<UpdatedRow>(updateStatement, [
    instanceId,
    uid,
    resourceVersion,
    address,
    node,
    waiting?.reason ?? null,
    waiting ? storableText(waiting.message) : null,
    isReady,
    phase === 'Running',
    lastTermination?.exitCode ?? null,
    pod ? storableJson(pod) : null,
    instanceStatesBefore('ACTIVE'),
    instanceStatesBefore('WAITING_FOR_READINESS'),
  ]);
  return row ?? null;
}

/** What a row without uid was or waited for is over once its host has taken it, as when its creator writes so first. */
const updateStatement = `
  with known as (
    select id, uid is null as is_new, unready_since is not null as was_unready,
      case when uid is null and state = 'REQUESTED' then 'INITIALIZING' else state end as was,
      case when uid is not null then waiting_reason end as waited_for,
      case when uid is not null then waiting_since end as waited_since from model_instance where id = $1 for update)
  update model_instance i set uid = $2, resource_version = $3, address = $4, node = $5, waiting_reason = $6,
    waiting_message = $7, last_updated = now(), exit_code = coalesce($10, exit_code), pod = coalesce($11::jsonb, pod),
    waiting_since = case when $6::text is null then null
      when placed_at is null and $5::text is not null then clock_timestamp()
      else coalesce(known.waited_since, clock_timestamp()) end,
    placed_at = case when $5::text is null then placed_at else coalesce(placed_at, clock_timestamp()) end,
    unready_since = case when i.state = 'ACTIVE' and not $8 then coalesce(unready_since, clock_timestamp()) end,
    ready_at = case when $8 then coalesce(ready_at, clock_timestamp()) else ready_at end,
    state = case
      when $8 and i.state = any($12) then 'ACTIVE'
      when $9 and i.state = any($13) then 'WAITING_FOR_READINESS'
      when i.state = 'REQUESTED' then 'INITIALIZING'
      else i.state end
   from known where i.id = known.id and (i.uid is null or i.uid = $2) and i.resource_version < $3
     and i.state <> 'TERMINATED'
  returning known.is_new, i.state, known.was, i.waiting_reason, known.waited_for, i.unready_since is not null as unready,
    known.was_unready,
    exists (select from instance_lease where instance_id = i.id and state = 'GRANTED') as leased`;

async function writeReady(sql: Sql, seen: ObservedInstance, leased: boolean): Promise<void> {
  // Its requester may have vanished while it started: then it is warm for the next one.
  if (!leased) {
    await sql.rows(`update model_instance set idle_since = clock_timestamp() where id = $1`, [
      seen.instanceId,
    ]);
  }
  await recordInstanceEvent(sql, seen.instanceId, 'INSTANCE_READY', describe(seen));
}

function describe(seen: ObservedInstance): Record<string, unknown> {
  const { phase, ready, node, address, waiting, lastTermination } = seen;
  return { phase, ready, node, address, waiting, last_termination: lastTermination };
}
