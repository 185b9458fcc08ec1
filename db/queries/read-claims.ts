import type { ClaimedModel, ClaimLimits, InstanceClaim, Place } from '../../domain/claim/claim-facts.js';
import { type ClaimPlan, emptyPlan, planClaims } from '../../domain/claim/plan-claims.js';
import type { Sql } from '../database.js';
import { decayedUse } from './decayed-use.js';

/** Only the first claims of each model can be served at once; to serve them the rest need not be read. */
const CLAIMS_SERVED_PER_MODEL = 50;

interface ClaimRow {
  lease_token: string;
  user_id: string;
  model_id: string;
  memory_bytes: number | null;
  requested_at_ms: number;
  waited_seconds: number;
  usage_seconds: number;
}

/**
 * What serving the waiting claims comes to. To act on it hold `lockClaims`; to tell of it one snapshot is enough.
 * @param claimsPerModel of each user and model only so many are read; the others are not in the plan
 */
export async function readPlan(
  sql: Sql,
  limits: ClaimLimits,
  claimsPerModel = CLAIMS_SERVED_PER_MODEL,
): Promise<ClaimPlan> {
  const claims = await readClaims(sql, claimsPerModel);
  if (claims.length === 0) return emptyPlan;
  const places = await readPlaces(sql);
  const models = await readModels(sql, [...new Set(claims.map(({ modelId }) => modelId))]);
  return planClaims(claims, places, models, limits);
}

/** Those who wait: of each user and model the first. */
async function readClaims(sql: Sql, perModel: number): Promise<InstanceClaim[]> {
  const rows = await sql.rows<ClaimRow>(
    `select * from (
       select lease_token, user_id, model_id, memory_bytes,
         (extract(epoch from requested_at) * 1000)::float8 as requested_at_ms,
         extract(epoch from clock_timestamp() - requested_at)::float8 as waited_seconds,
         coalesce(${decayedUse('user_usage')}, 0) as usage_seconds,
         row_number() over (partition by model_id, user_id order by requested_at) as own_place,
         row_number() over (partition by model_id order by requested_at) as model_place
       from instance_lease left join user_usage using (user_id)
      where state = 'WAITING' and requested_at <= clock_timestamp()) waiting
     where own_place <= $1 and (own_place <= 2 or model_place <= $1)`,
    [perModel],
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
  healthy: boolean;
  memory_limit_bytes: number | null;
  leased: boolean;
  idle_seconds: number;
}

/** Every place: an instance that is not gone. */
async function readPlaces(sql: Sql): Promise<Place[]> {
  const rows = await sql.rows<PlaceRow>(
    `select id, model_id, model_revision, state, unready_since is null as healthy, memory_limit_bytes,
       exists (select from instance_lease where instance_id = model_instance.id and state = 'GRANTED') as leased,
       coalesce(extract(epoch from clock_timestamp() - idle_since), 0)::float8 as idle_seconds
     from model_instance where state <> 'TERMINATED'`,
  );
  return rows.map((row) => ({
    instanceId: row.id,
    modelId: row.model_id,
    modelRevision: row.model_revision,
    state: row.state,
    healthy: row.healthy,
    leased: row.leased,
    memoryLimitBytes: row.memory_limit_bytes,
    idleSeconds: row.idle_seconds,
  }));
}

interface ModelRow {
  id: string;
  revision: number;
  enabled: boolean;
  max_instances: number;
  waiting: number;
}

/** What the claimed models allow, and how much is asked of them. */
async function readModels(sql: Sql, ids: readonly string[]): Promise<ClaimedModel[]> {
  const rows = await sql.rows<ModelRow>(
    // Counted once for all models: for each by itself the whole line would be read as often as there are models.
    `with line as materialized (
       select model_id as id, count(*)::integer as waiting from instance_lease where state = 'WAITING' group by model_id)
     select id, revision, enabled, max_instances, coalesce(waiting, 0) as waiting from model left join line using (id)
      where id = any($1)`,
    [ids],
  );
  return rows.map(({ id, revision, enabled, max_instances, waiting }) => ({
    modelId: id,
    revision,
    enabled,
    maxInstances: max_instances,
    waiting,
  }));
}
