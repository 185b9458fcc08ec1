import { EXPECTED_GRANT_SECONDS, USAGE_HALF_LIFE_SECONDS } from '../../domain/claim/order-claims.js';
import {
  planClaims,
  type ClaimedModel,
  type ClaimLimits,
  type ClaimPlan,
  type InstanceClaim,
  type Place,
} from '../../domain/claim/plan-claims.js';
import type { Sql } from '../database.js';
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

/** Only the first claims of each model can be served at once; the rest need not be read. */
const CLAIMS_READ_PER_MODEL = 50;

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
  const claims = await readClaims(sql);
  if (claims.length === 0) return nothingToTell;
  const places = await readPlaces(sql);
  const models = await readModels(sql, [...new Set(claims.map(({ modelId }) => modelId))]);
  return applyPlan(sql, planClaims(claims, places, models, settings), settings);
}

interface ClaimRow {
  lease_token: string;
  user_id: string;
  model_id: string;
  memory_bytes: number | null;
  requested_at_ms: number;
  waited_seconds: number;
  usage_seconds: number;
}

async function readClaims(sql: Sql): Promise<InstanceClaim[]> {
  const rows = await sql.rows<ClaimRow>(
    `select * from (
       select lease_token, user_id, model_id, memory_bytes,
         (extract(epoch from requested_at) * 1000)::float8 as requested_at_ms,
         extract(epoch from clock_timestamp() - requested_at)::float8 as waited_seconds,
         coalesce(decayed_seconds * power(0.5, extract(epoch from clock_timestamp() - as_of) / ${USAGE_HALF_LIFE_SECONDS}), 0)::float8 as usage_seconds,
         row_number() over (partition by model_id, user_id order by requested_at) as own_place,
         row_number() over (partition by model_id order by requested_at) as model_place
       from instance_lease left join user_usage using (user_id)
      where state = 'WAITING') waiting
     where own_place <= ${CLAIMS_READ_PER_MODEL} and (own_place <= 2 or model_place <= ${CLAIMS_READ_PER_MODEL})`,
  );
  return rows.map((row) => ({
    leaseToken: row.lease_token,
    userId: row.user_id,
    modelId: row.model_id,
    memoryBytes: row.memory_bytes,
    requestedAtMs: row.requested_at_ms,
    waitedSeconds: row.waited_seconds,
    usageSeconds: row.usage_seconds,
  }));
}

interface PlaceRow {
  id: string;
  model_id: string;
  model_revision: number;
  state: Place['state'];
  memory_limit_bytes: number | null;
  leased: boolean;
  idle_seconds: number;
}

async function readPlaces(sql: Sql): Promise<Place[]> {
  const rows = await sql.rows<PlaceRow>(
    `select id, model_id, model_revision, state, memory_limit_bytes,
       exists (select from instance_lease where instance_id = model_instance.id and state = 'GRANTED') as leased,
       coalesce(extract(epoch from clock_timestamp() - idle_since), 0)::float8 as idle_seconds
     from model_instance where state <> 'TERMINATED'`,
  );
  return rows.map((row) => ({
    instanceId: row.id,
    modelId: row.model_id,
    modelRevision: row.model_revision,
    state: row.state,
    leased: row.leased,
    memoryLimitBytes: row.memory_limit_bytes,
    idleSeconds: row.idle_seconds,
  }));
}

async function readModels(sql: Sql, ids: readonly string[]): Promise<ClaimedModel[]> {
  const rows = await sql.rows<{ id: string; revision: number; enabled: boolean; max_instances: number }>(
    `select id, revision, enabled, max_instances from model where id = any($1)`,
    [ids],
  );
  return rows.map(({ id, revision, enabled, max_instances }) => ({
    modelId: id,
    revision,
    enabled,
    maxInstances: max_instances,
  }));
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
       on conflict (user_id) do update set as_of = excluded.as_of, decayed_seconds = excluded.decayed_seconds
         + user_usage.decayed_seconds * power(0.5, greatest(0, extract(epoch from excluded.as_of - user_usage.as_of)) / ${USAGE_HALF_LIFE_SECONDS}))
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
