import type { Sql } from '../database.js';
import { storableJson } from '../storable-text.js';

/** Channel that says "this instance changed"; the payload is its id. A hint: it may be lost. */
export const INSTANCE_CHANNEL = 'hub_instance';

/**
 * Writes one thing that happened to an instance, and tells whoever waits for it. Its time is that of the statement: a
 * transaction that waited for the claims began before what it sees.
 */
export async function recordInstanceEvent(
  sql: Sql,
  instanceId: string,
  type: string,
  details: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await sql.rows(
    `with changed as (
       update model_instance set event_count = event_count + 1, last_updated = now() where id = $1
       returning id, event_count, expires_on),
     event as (
       insert into instance_event (expires_on, instance_id, event_no, source, type, at, details)
       select expires_on, id, event_count, 'hub', $2, clock_timestamp(), $3::jsonb from changed)
     select pg_notify('${INSTANCE_CHANNEL}', id) from changed`,
    [instanceId, type, storableJson(details)],
  );
}
