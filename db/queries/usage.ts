import type { InstanceMetrics } from '../../domain/instance/instance.wire.js';
import { toRunningAverages, type UsageFigures } from '../../domain/usage/running-averages.js';
import type { NodeFigureGap } from '../../domain/usage/node-figures.js';
import type { ComposedStatement, Sql } from '../database.js';
import { Conditions } from './conditions.js';

/** Which instances' averages are wanted. */
export interface AveragesFilter {
  readonly modelId?: string;
  readonly instanceIds?: readonly string[];
  /** Instances that are not `TERMINATED`. */
  readonly active: boolean;
  /** Instances that are. */
  readonly ended: boolean;
  readonly limit: number;
}

interface AveragesRow {
  readonly model_id: string;
  readonly instance_id: string;
  readonly namespace: string;
  readonly cpu: UsageFigures;
  readonly memory: UsageFigures;
  readonly cpu_60s: UsageFigures;
  readonly memory_60s: UsageFigures;
}

/**
 * Figures of CPU (millicores) and memory (bytes) over the life of instances and over the last 60 s, those that changed
 * last first. An instance that was never measured is not among them.
 */
export async function readRunningAverages(sql: Sql, filter: AveragesFilter): Promise<InstanceMetrics[]> {
  const rows = await sql.composed<AveragesRow>(averagesStatement(filter));
  return rows.map(({ model_id, instance_id, namespace, cpu, memory, cpu_60s, memory_60s }) => ({
    model_id,
    instance_id,
    namespace,
    cpu_running_averages: toRunningAverages(cpu, cpu_60s),
    memory_running_averages: toRunningAverages(memory, memory_60s),
  }));
}

/** The statement of one page of figures: the page is chosen first, by an index that holds its order. */
export function averagesStatement(filter: AveragesFilter): ComposedStatement {
  const { modelId, instanceIds, active, ended, limit } = filter;
  const conditions = new Conditions();
  conditions.addFor(modelId, (place) => `i.model_id = ${place}`);
  conditions.addFor(instanceIds, (place) => `i.id = any(${place}::text[])`);
  // Spelt like the partial index of live instances.
  if (!ended) conditions.add(`i.state <> 'TERMINATED'`);
  if (!active) conditions.add(`i.state = 'TERMINATED'`);
  const limitPlace = conditions.place(limit);
  const text = `
    select page.model_id, instance_id, namespace,
      json_build_object('count', cpu_count, 'total', cpu_total, 'min', cpu_min, 'max', cpu_max) as cpu,
      json_build_object('count', memory_count, 'total', memory_total, 'min', memory_min, 'max', memory_max) as memory,
      recent.cpu_60s, recent.memory_60s
    from (select i.last_updated, i.expires_on, u.* from model_instance i join instance_usage u on u.instance_id = i.id
       ${conditions.where} order by i.last_updated desc, i.id desc limit ${limitPlace}) page,
      lateral (select
        json_build_object('count', count(*), 'total', coalesce(sum(cpu_millicores), 0),
          'min', coalesce(min(cpu_millicores), 0), 'max', coalesce(max(cpu_millicores), 0)) as cpu_60s,
        json_build_object('count', count(*), 'total', coalesce(sum(memory_bytes), 0),
          'min', coalesce(min(memory_bytes), 0), 'max', coalesce(max(memory_bytes), 0)) as memory_60s
        from usage_sample s where s.expires_on = page.expires_on and s.instance_id = page.instance_id
         and s.sampled_at > clock_timestamp() - interval '60 seconds') recent
    order by page.last_updated desc, instance_id desc`;
  return { text, params: conditions.params };
}

/** One raw value pair: CPU as a rate, memory as working set. */
export interface UsageSampleRow {
  readonly sampled_at: string;
  readonly cpu_millicores: number;
  readonly memory_bytes: number;
}

/** Samples after `since` (ISO), oldest first; at most `limit`, the newest ones. */
export async function readSamples(
  sql: Sql,
  instanceId: string,
  { since, limit }: { readonly since: string; readonly limit: number },
): Promise<UsageSampleRow[]> {
  return sql.rows(
    `select * from (
       select s.sampled_at, s.cpu_millicores, s.memory_bytes from usage_sample s
        where s.expires_on = (select expires_on from model_instance where id = $1) and s.instance_id = $1
          and s.sampled_at > $2
        order by s.sampled_at desc limit $3) newest
     order by sampled_at`,
    [instanceId, since, limit],
  );
}

/** An instance that has not ended, and what it used lately. */
export interface ActiveSamplesRow {
  readonly instance_id: string;
  readonly model_id: string;
  readonly created_at: string;
  /** Oldest first; empty before the first sample. */
  readonly samples: UsageSampleRow[];
}

/** Which slice of the raw values of active instances is wanted. */
export interface ActiveSamplesFilter {
  readonly modelId?: string;
  /** How far to look back from now. */
  readonly seconds: number;
  /** Instances, not samples. */
  readonly limit: number;
  /** Beginning and id of the last instance of the page before. */
  readonly after?: readonly [createdAt: string, id: string];
}

/** A sample is taken every 15 s: an hour of them, and what two workers took at once while one followed the other. */
const MOST_SAMPLES_EACH = 300;

/** Raw values of instances that are not `TERMINATED`, those that began last first. */
export async function readActiveSamples(sql: Sql, filter: ActiveSamplesFilter): Promise<ActiveSamplesRow[]> {
  const { modelId, seconds, limit, after } = filter;
  const conditions = new Conditions();
  // Spelt like the partial index of live instances.
  conditions.add(`i.state <> 'TERMINATED'`);
  conditions.addFor(modelId, (place) => `i.model_id = ${place}`);
  if (after)
    conditions.add(
      `(i.created_at, i.id) < (${conditions.place(after[0])}::timestamptz, ${conditions.place(after[1])})`,
    );
  const page = await sql.composed<Omit<ActiveSamplesRow, 'samples'> & { readonly expires_on: string }>({
    text: `select i.id as instance_id, i.model_id, i.created_at, i.expires_on from model_instance i ${conditions.where}
      order by i.created_at desc, i.id desc limit ${conditions.place(limit)}`,
    params: conditions.params,
  });
  const samples = await sql.rows<UsageSampleRow & { readonly instance_id: string }>(
    `select page.id as instance_id, s.sampled_at, s.cpu_millicores, s.memory_bytes
       from unnest($1::date[], $2::text[]) as page (expires_on, id)
       cross join lateral (select * from usage_sample
         where expires_on = page.expires_on and instance_id = page.id
           and sampled_at > clock_timestamp() - $3::integer * interval '1 second'
         order by sampled_at desc limit ${MOST_SAMPLES_EACH}) s
      order by s.sampled_at`,
    [page.map(({ expires_on }) => expires_on), page.map(({ instance_id }) => instance_id), seconds],
  );
  const byInstance = Map.groupBy(samples, ({ instance_id }) => instance_id);
  return page.map(({ expires_on: _, ...instance }) => ({
    ...instance,
    samples: (byInstance.get(instance.instance_id) ?? []).map(({ instance_id: __, ...sample }) => sample),
  }));
}

/** A node with what it offers, what is requested of it and what is used; used is null where nobody measures it. */
export interface NodeUsageRow {
  readonly node: string;
  readonly allocatable_cpu_millicores: number;
  readonly allocatable_memory_bytes: number;
  readonly requested_cpu_millicores: number;
  readonly requested_memory_bytes: number;
  readonly used_cpu_millicores: number | null;
  readonly used_memory_bytes: number | null;
  readonly sampled_at: string;
}

/** How the last look at the nodes ended; null before the first. */
export async function readNodeLook(sql: Sql): Promise<{ readonly gap: NodeFigureGap | null } | null> {
  const [look] = await sql.rows<{ gap: NodeFigureGap | null }>(`select gap from node_look`);
  return look ?? null;
}

/** The nodes by name; none where node figures are not permitted, and until the first look. */
export async function readNodeUsage(sql: Sql): Promise<NodeUsageRow[]> {
  return sql.rows(`select * from node_usage order by node`);
}
