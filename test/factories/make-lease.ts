import type { Sql } from '../../db/database.js';
import { insertClaim } from '../../db/queries/leases.js';
import type { ShardPlace } from '../../db/queries/shards.js';
import type { MadeRequest } from './make-request.js';

/** A claim of the request that was granted this instance, without asking who else waits. */
export async function makeLease(
  sql: Sql,
  request: MadeRequest,
  instanceId: string,
  slice = 0,
): Promise<ShardPlace> {
  const leaseToken = await insertClaim(sql, request, slice);
  await sql.rows(
    `update instance_lease set state = 'GRANTED', instance_id = $2, granted_at = clock_timestamp() where lease_token = $1`,
    [leaseToken, instanceId],
  );
  await sql.rows(`update model_instance set idle_since = null where id = $1`, [instanceId]);
  return { leaseToken, requestId: request.requestId, expiresOn: request.expiresOn };
}
