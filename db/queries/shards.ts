import type { Sql } from '../database.js';
import { storableJson } from '../storable-text.js';
import { recordRequestEvent } from './request-progress.js';

/** A shard taken for computing. */
export interface TakenShard {
  readonly shard_no: number;
  readonly row_count: number;
  readonly attempt: number;
  /** The model's job for this shard, when this same lease submitted one before. */
  readonly job_id: string | null;
  readonly input: Buffer;
}

/** Where a lease's shards are: never asked for without `expires_on`, which names their partition. */
export interface ShardPlace {
  readonly leaseToken: string;
  readonly requestId: number;
  readonly expiresOn: string;
}

/**
 * Only leases of the current run of an open request ($2) may work: an older run neither takes nor keeps a shard. The
 * request's id is said twice so that both rows are found by index, however many are open.
 */
const leaseInForce = (token: string) => `
  select from instance_lease l join work_request r on r.id = $2 and r.run_key = l.run_key
   where l.lease_token = ${token} and l.request_id = $2 and l.state = 'GRANTED'
     and r.state in ('SCHEDULING', 'PROCESSING')`;

/**
 * Takes the next unfinished shard for a lease: one that nobody holds, or whose holder's lease is over.
 * @param held shards this lease has in hand already
 */
export async function takeShard(
  sql: Sql,
  place: ShardPlace,
  held: readonly number[],
): Promise<TakenShard | null> {
  const [shard] = await sql.rows<TakenShard>(
    `with next as (
       select s.expires_on, s.request_id, s.shard_no from work_request_shard s
        where s.expires_on = $3 and s.request_id = $2 and s.state <> 'DONE' and s.shard_no <> all($4)
          and (s.lease_token is null or s.lease_token = $1 or not exists (${leaseInForce('s.lease_token')}))
          and exists (${leaseInForce('$1')})
        order by s.shard_no limit 1 for update of s skip locked)
     update work_request_shard s set state = 'RUNNING', lease_token = $1, attempt = s.attempt + 1,
       job_id = case when s.lease_token = $1 then s.job_id end
      from next where s.expires_on = $3 and s.request_id = next.request_id and s.shard_no = next.shard_no
     returning s.shard_no, s.row_count, s.attempt, s.job_id, s.input`,
    [place.leaseToken, place.requestId, place.expiresOn, held],
  );
  return shard ?? null;
}

/** A computed shard. */
export interface ComputedShard {
  readonly shardNo: number;
  readonly rowCount: number;
  readonly rowsFailed: number;
  readonly rowsInvalid: number;
  readonly columns: readonly string[];
  readonly result: Buffer;
}

/**
 * Stores a shard's result and counts it, in the caller's transaction. Refused when the lease is over, the request has
 * ended, another run took over, or the shard is stored already: a stale worker writes nothing.
 * @returns whether it was stored
 */
export async function storeShard(sql: Sql, place: ShardPlace, shard: ComputedShard): Promise<boolean> {
  const open = await sql.rows(
    // Both rows are locked, the request first: whoever releases the lease meanwhile is seen.
    `${leaseInForce('$1')} for update of r, l`,
    [place.leaseToken, place.requestId],
  );
  if (open.length === 0) return false;
  const stored = await sql.rows(
    `update work_request_shard set state = 'DONE', result = $5, rows_failed = $6, rows_invalid = $7
      where expires_on = $3 and request_id = $2 and shard_no = $4 and state = 'RUNNING' and lease_token = $1
     returning shard_no`,
    [
      place.leaseToken,
      place.requestId,
      place.expiresOn,
      shard.shardNo,
      shard.result,
      shard.rowsFailed,
      shard.rowsInvalid,
    ],
  );
  if (stored.length === 0) return false;
  await countShard(sql, place, shard);
  return true;
}

async function countShard(
  sql: Sql,
  { leaseToken, requestId }: ShardPlace,
  shard: ComputedShard,
): Promise<void> {
  const [request] = await sql.rows<{
    rows_done: number;
    row_count: number;
    shards_done: number;
    shard_count: number;
  }>(
    `with lease as (
       update instance_lease set shards = shards + 1, rows = rows + $3 where lease_token = $2)
     update work_request set shards_done = shards_done + 1, rows_done = rows_done + $3, rows_failed = rows_failed + $4,
       rows_invalid = rows_invalid + $5, attempts_without_progress = 0,
       result_columns = coalesce(result_columns, $6::jsonb)
      where id = $1 returning rows_done, row_count, shards_done, shard_count`,
    [requestId, leaseToken, shard.rowCount, shard.rowsFailed, shard.rowsInvalid, storableJson(shard.columns)],
  );
  // The last shard's progress is told by the event of the end.
  if (request!.shards_done < request!.shard_count)
    await recordRequestEvent(sql, requestId, 'progress', { ...request });
}
