import type { Sql } from '../database.js';
import type { ShardPlace, TakenShard } from './shards.js';

/** One taking of a shard: the attempt it counted tells it from every other. */
export type ShardTaking = Pick<TakenShard, 'shard_no' | 'attempt'>;

/** Takes back the attempt that this taking counted; a later taking keeps its own. */
export async function takeBackAttempt(sql: Sql, place: ShardPlace, taking: ShardTaking): Promise<void> {
  await changeAttempt(sql, place, { shardNo: taking.shard_no, from: taking.attempt, to: taking.attempt - 1 });
}

/** Counts the attempt of this taking again after it was taken back. */
export async function countAttemptAgain(sql: Sql, place: ShardPlace, taking: ShardTaking): Promise<void> {
  await changeAttempt(sql, place, { shardNo: taking.shard_no, from: taking.attempt - 1, to: taking.attempt });
}

async function changeAttempt(
  sql: Sql,
  { leaseToken, requestId, expiresOn }: ShardPlace,
  { shardNo, from, to }: { readonly shardNo: number; readonly from: number; readonly to: number },
): Promise<void> {
  await sql.rows(
    `update work_request_shard set attempt = $6
      where expires_on = $3 and request_id = $2 and shard_no = $4 and state = 'RUNNING' and lease_token = $1
        and attempt = $5`,
    [leaseToken, requestId, expiresOn, shardNo, from, to],
  );
}

/**
 * Remembers the model's job, so that a retry resumes it instead of submitting again. With it the shard is in the
 * model's hands, and the attempt of this taking is taken back.
 */
export async function storeJobId(
  sql: Sql,
  place: ShardPlace,
  taking: ShardTaking,
  jobId: string,
): Promise<void> {
  await sql.rows(
    `update work_request_shard set job_id = $5, attempt = case when attempt = $6 then attempt - 1 else attempt end
      where expires_on = $3 and request_id = $2 and shard_no = $4 and state = 'RUNNING' and lease_token = $1`,
    [place.leaseToken, place.requestId, place.expiresOn, taking.shard_no, jobId, taking.attempt],
  );
}

/**
 * Takes back the attempt of shards that a lease held and that can't be what ended its instance: all of them when the
 * machine was lost, all but the one in work when the server itself died. Shards are worked on in order.
 */
export async function forgiveAttempts(
  sql: Sql,
  place: ShardPlace,
  blame: 'nobody' | 'the first',
): Promise<void> {
  await sql.rows(
    `update work_request_shard s set attempt = greatest(0, attempt - 1)
      where s.expires_on = $3 and s.request_id = $2 and s.state = 'RUNNING' and s.lease_token = $1
        and ($4 = 'nobody' or s.shard_no > (select min(first.shard_no) from work_request_shard first
          where first.expires_on = $3 and first.request_id = $2 and first.state = 'RUNNING' and first.lease_token = $1))`,
    [place.leaseToken, place.requestId, place.expiresOn, blame],
  );
}
