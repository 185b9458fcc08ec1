import { EXPECTED_GRANT_SECONDS } from '../../domain/claim/order-claims.js';
import type { ClaimLimits } from '../../domain/claim/claim-facts.js';
import type { ClaimPlan } from '../../domain/claim/plan-claims.js';
import type { Sql } from '../database.js';
import { decayedUse } from './decayed-use.js';
import { readPlan } from './read-claims.js';
import { recordInstanceEvent } from './instance-events.js';
import { markToEnd } from './leases.js';
import { recordRequestEvent } from './request-progress.js';

/** Settings of the claim, and what new instances carry. */
export interface ClaimSettings extends ClaimLimits {
  readonly hostKind: string;
  readonly instanceRetentionDays: number;
}

/** What has to be told after the commit; all of it is in rows, so a lost word only costs time. */
export interface ClaimHints {
  readonly granted: readonly { leaseToken: string; requestId: number; runKey: string }[];
  readonly started: readonly { instanceId: string; modelId: string }[];
  readonly retired: readonly string[];
  readonly waiting: ReadonlyMap<string, { position: number; because: string }>;
}

/** What to tell when no claim was served. */
export const nothingToTell: ClaimHints = { granted: [], started: [], retired: [], waiting: new Map() };

/**
 * Makes the claims of this transaction the only ones: a statement of its own, so that what follows counts what is
 * committed. Taken before any row lock, or never.
 */
export async function lockClaims(sql: Sql): Promise<void> {
  await sql.rows(lockClaimsStatement);
}

export const lockClaimsStatement = `select pg_advisory_xact_lock(hashtext('hub claims'))`;

/** The same without waiting: false when somebody else serves the claims right now. */
export async function tryLockClaims(sql: Sql): Promise<boolean> {
  const rows = await sql.rows(`select 1 where pg_try_advisory_xact_lock(hashtext('hub claims'))`);
  return rows.length > 0;
}

/**
 * Serves waiting claims in fair order: lends free instances, starts new ones, retires idle ones for room.
 * Must run under `lockClaims`, in the same transaction.
 */
export async function serveClaims(sql: Sql, settings: ClaimSettings): Promise<ClaimHints> {
  return applyPlan(sql, await readPlan(sql, settings), settings);
}

async function applyPlan(sql: Sql, plan: ClaimPlan, settings: ClaimSettings): Promise<ClaimHints> {
  const granted: { leaseToken: string; requestId: number; runKey: string }[] = [];
  const started: { instanceId: string; modelId: string }[] = [];
  for (const { leaseToken, instanceId } of plan.lend) granted.push(await grant(sql, leaseToken, instanceId));
  for (const { leaseToken, modelId } of plan.start) {
    const instanceId = await insertInstance(sql, leaseToken, settings);
    started.push({ instanceId, modelId });
    granted.push(await grant(sql, leaseToken, instanceId));
  }
  const retired: string[] = [];
  for (const instanceId of plan.retire) {
    const marked = await markToEnd(sql, instanceId, 'MAKING_ROOM', 'a waiting request needs its place');
    if (marked) retired.push(marked);
  }
  const waiting = new Map(
    plan.wait.map(({ leaseToken, position, because }) => [leaseToken, { position, because }]),
  );
  return { granted, started, retired, waiting };
}

/** Leases the instance to the claim and charges its user at once, so the next claim counts it. */
async function grant(
  sql: Sql,
  leaseToken: string,
  instanceId: string,
): Promise<{ leaseToken: string; requestId: number; runKey: string }> {
  const [lease] = await sql.rows<{ request_id: number; run_key: string; user_id: string; state: string }>(
    `with lease as (
       update instance_lease set state = 'GRANTED', instance_id = $2, granted_at = clock_timestamp(), charged_seconds = $3
        where lease_token = $1 and state = 'WAITING' returning request_id, run_key, user_id),
     instance as (
       update model_instance set idle_since = null where id = $2 returning state),
     usage as (
       insert into user_usage (user_id, decayed_seconds, as_of) select user_id, $3, clock_timestamp() from lease
       on conflict (user_id) do update set as_of = excluded.as_of,
         decayed_seconds = excluded.decayed_seconds + ${decayedUse('user_usage')})
     select request_id, run_key, user_id, state from lease, instance`,
    [leaseToken, instanceId, EXPECTED_GRANT_SECONDS],
  );
  if (!lease)
    throw new Error(`lease ${leaseToken} could not be granted instance ${instanceId}: it is not waiting`);
  if (lease.state !== 'ACTIVE') {
    await recordRequestEvent(sql, lease.request_id, 'instance-starting', { instance_id: instanceId });
  }
  return { leaseToken, requestId: lease.request_id, runKey: lease.run_key };
}

/** A place from now on, made to measure: the model's sizes, and more memory where the claim needs it. */
async function insertInstance(sql: Sql, leaseToken: string, settings: ClaimSettings): Promise<string> {
  const [instance] = await sql.rows<{ id: string }>(
    `insert into model_instance (id, model_id, model_revision, image, host, cpu_request_millicores, cpu_limit_millicores,
       memory_request_bytes, memory_limit_bytes, warm_seconds, expires_on, created_at)
     select uuidv7()::text, model.id, model.revision, model.image || ':' || model.image_tag, $2,
       model.cpu_request_millicores, model.cpu_limit_millicores,
       greatest(model.memory_request_mebibytes::bigint * 1048576, case when lease.memory_bytes is null then 0 else lease.memory_bytes end),
       case when not model.disable_memory_limit then greatest(model.memory_limit_mebibytes::bigint * 1048576, coalesce(lease.memory_bytes, 0)) end,
       model.warm_seconds, current_date + $3::integer, clock_timestamp()
     from instance_lease lease join model on model.id = lease.model_id where lease.lease_token = $1
     returning id`,
    [leaseToken, settings.hostKind, settings.instanceRetentionDays],
  );
  await recordInstanceEvent(sql, instance!.id, 'INSTANCE_REQUESTED');
  return instance!.id;
}
