import type { Sql } from '../../db/database.js';
import { periodsOf, type LeasePeriod } from '../../domain/usage/usage-periods.js';
import type { InstanceUsage } from '../../hosts/model-host.js';

/** What a host tells of an instance, and the namespace it lives in. */
export interface InstanceReading extends InstanceUsage {
  readonly namespace: string;
}

/** Of those who write usage at once the later one waits, then sees what the first one counted. */
export const lockUsageStatement = `select pg_advisory_xact_lock(hashtext('hub usage'))`;

/**
 * Takes up what a host tells of its instances: each sample once, by its time, however often it is told and by whom; the
 * peaks of whoever worked meanwhile; the peak of each instance's life. All instances in a handful of statements.
 * @param sql a transaction of its own: a later one waits for it
 */
export async function recordUsage(sql: Sql, readings: readonly InstanceReading[]): Promise<void> {
  // Nothing was seen yet of what has no memory.
  const seen = readings.filter(({ memoryBytes }) => memoryBytes > 0);
  if (seen.length === 0) return;
  await sql.rows(lockUsageStatement);
  // A plan made without a look at how many instances there are took eight times as long with 3,000.
  await sql.rows(`set local plan_cache_mode = force_custom_plan`);
  const counted = await readLastSampled(sql, seen);
  await addSamples(sql, seen);
  await raiseInstancePeaks(sql, seen);
  // Last, as others wait for these rows: who gives an instance back, or acknowledges it.
  const periods = seen.flatMap((reading) =>
    periodsOf(reading, counted.get(reading.instanceId) ?? null).map((period) => ({
      ...period,
      instanceId: reading.instanceId,
    })),
  );
  await raiseLeasePeaks(sql, periods);
}

async function readLastSampled(
  sql: Sql,
  readings: readonly InstanceReading[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.rows<{ instance_id: string; last_sampled_at: string }>(
    `select instance_id, last_sampled_at from instance_usage where instance_id = any($1)`,
    [readings.map(({ instanceId }) => instanceId)],
  );
  return new Map(rows.map(({ instance_id, last_sampled_at }) => [instance_id, last_sampled_at]));
}

/** What was inserted is added to the figures; what was there already is neither. */
async function addSamples(sql: Sql, readings: readonly InstanceReading[]): Promise<void> {
  await sql.rows(
    `with given as (
       select i.id, i.expires_on, i.model_id, g.namespace, g.sampled_at, g.cpu, g.memory
         from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::integer[], $6::bigint[])
           as g (instance_id, uid, namespace, sampled_at, cpu, memory)
         join model_instance i on i.id = g.instance_id and (i.uid is null or i.uid = g.uid)
        where i.expires_on >= current_date),
     fresh as (
       insert into usage_sample (expires_on, instance_id, sampled_at, cpu_millicores, memory_bytes)
       select expires_on, id, sampled_at, cpu, memory from given
       on conflict do nothing returning instance_id, sampled_at, cpu_millicores, memory_bytes)
     insert into instance_usage as u (instance_id, model_id, namespace, last_sampled_at, cpu_count, cpu_total, cpu_min,
       cpu_max, memory_count, memory_total, memory_min, memory_max)
     select f.instance_id, min(g.model_id), min(g.namespace), max(f.sampled_at),
       count(*), sum(f.cpu_millicores), min(f.cpu_millicores), max(f.cpu_millicores),
       count(*), sum(f.memory_bytes), min(f.memory_bytes), max(f.memory_bytes)
       from fresh f join given g on g.id = f.instance_id and g.sampled_at = f.sampled_at group by f.instance_id
     on conflict (instance_id) do update set
       last_sampled_at = greatest(u.last_sampled_at, excluded.last_sampled_at), namespace = excluded.namespace,
       cpu_count = u.cpu_count + excluded.cpu_count, cpu_total = u.cpu_total + excluded.cpu_total,
       cpu_min = least(u.cpu_min, excluded.cpu_min), cpu_max = greatest(u.cpu_max, excluded.cpu_max),
       memory_count = u.memory_count + excluded.memory_count, memory_total = u.memory_total + excluded.memory_total,
       memory_min = least(u.memory_min, excluded.memory_min), memory_max = greatest(u.memory_max, excluded.memory_max)`,
    [
      readings.map(({ instanceId }) => instanceId),
      readings.map(({ uid }) => uid),
      readings.map(({ namespace }) => namespace),
      readings.map(({ sampledAt }) => sampledAt),
      readings.map(({ cpuMillicores }) => Math.round(cpuMillicores)),
      readings.map(({ memoryBytes }) => Math.round(memoryBytes)),
    ],
  );
}

/** Rows that someone else holds are left for the next pass: their peak is told again, and nobody waits in a circle. */
async function raiseInstancePeaks(sql: Sql, readings: readonly InstanceReading[]): Promise<void> {
  await sql.rows(
    `with risen as (
       select i.id, g.peak from unnest($1::text[], $2::text[], $3::bigint[]) as g (instance_id, uid, peak)
         join model_instance i on i.id = g.instance_id and (i.uid is null or i.uid = g.uid)
        where g.peak > coalesce(i.peak_memory_bytes, 0) for update of i skip locked)
     update model_instance i set peak_memory_bytes = risen.peak from risen where i.id = risen.id`,
    [
      readings.map(({ instanceId }) => instanceId),
      readings.map(({ uid }) => uid),
      readings.map(({ peakMemoryBytes, memoryBytes }) => Math.round(peakMemoryBytes ?? memoryBytes)),
    ],
  );
}

/**
 * Work that goes on, and work that was given back since the earliest period. A period belongs to every lease that
 * touches it: what several used within one is not told apart, and the highest that each may have used is better than
 * nothing. Except for the CPU of a lease that has less of the period than another and goes on after it: most of that
 * is the other's, and the next period will tell its own.
 */
async function raiseLeasePeaks(
  sql: Sql,
  periods: readonly (LeasePeriod & { readonly instanceId: string })[],
): Promise<void> {
  if (periods.length === 0) return;
  await sql.rows(
    `with period as (
       select * from unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::integer[], $6::boolean[])
         as p (instance_id, began, ended, memory, cpu, is_new)),
     lease as (
       select lease_token, instance_id, granted_at, released_at from instance_lease
        where instance_id is not null and (state = 'GRANTED' or released_at >= (select min(began) from period))
          for update skip locked),
     touched as (
       select l.lease_token, p.*, coalesce(l.released_at > p.ended, true) as goes_on,
         least(l.released_at, p.ended) - greatest(l.granted_at, p.began) as part
         from lease l join period p on p.instance_id = l.instance_id and l.granted_at <= p.ended
          and (l.released_at is null or l.released_at >= p.began)),
     shared as (
       select *, part < max(part) over (partition by instance_id, began, ended) as is_less from touched),
     worked as (
       select lease_token, max(memory) as memory, max(cpu) filter (where not (is_less and goes_on)) as cpu,
         count(*) filter (where is_new) as samples
         from shared group by lease_token)
     update instance_lease l set peak_memory_bytes = greatest(l.peak_memory_bytes, w.memory),
       peak_cpu_millicores = greatest(l.peak_cpu_millicores, w.cpu),
       -- A short lease may end before its period does: it was measured, if late.
       usage_samples = greatest(l.usage_samples + w.samples, 1)
       from worked w where l.lease_token = w.lease_token and (w.samples > 0
         or l.peak_memory_bytes is null or l.peak_memory_bytes < w.memory
         or coalesce(l.peak_cpu_millicores, -1) < w.cpu)`,
    [
      periods.map(({ instanceId }) => instanceId),
      periods.map(({ from }) => from),
      periods.map(({ to }) => to),
      periods.map(({ memoryBytes }) => Math.round(memoryBytes)),
      periods.map(({ cpuMillicores }) => Math.round(cpuMillicores)),
      periods.map(({ isNew }) => isNew),
    ],
  );
}
