import type { Sql } from '../../db/database.js';
import type { HostUsage } from '../../hosts/model-host.js';
import { lockUsageStatement } from './record-usage.js';

/**
 * Replaces what is known of the nodes, and why something is not. Where node figures are not permitted none stay: old
 * ones would mislead.
 * @param sql a transaction
 */
export async function recordNodeUsage(
  sql: Sql,
  { nodes: known, nodeGap }: Pick<HostUsage, 'nodes' | 'nodeGap'>,
): Promise<void> {
  await sql.rows(lockUsageStatement);
  await sql.rows(
    `insert into node_look (name, looked_at, gap) values ('nodes', clock_timestamp(), $1)
     on conflict (name) do update set looked_at = excluded.looked_at, gap = excluded.gap`,
    [nodeGap],
  );
  await sql.rows(`delete from node_usage where node <> all($1::text[])`, [known.map(({ node }) => node)]);
  await sql.rows(
    `insert into node_usage (node, allocatable_cpu_millicores, allocatable_memory_bytes, requested_cpu_millicores,
       requested_memory_bytes, used_cpu_millicores, used_memory_bytes, sampled_at)
     select n.*, clock_timestamp() from unnest($1::text[], $2::integer[], $3::bigint[], $4::integer[], $5::bigint[],
       $6::integer[], $7::bigint[]) as n
     on conflict (node) do update set allocatable_cpu_millicores = excluded.allocatable_cpu_millicores,
       allocatable_memory_bytes = excluded.allocatable_memory_bytes,
       requested_cpu_millicores = excluded.requested_cpu_millicores,
       requested_memory_bytes = excluded.requested_memory_bytes, used_cpu_millicores = excluded.used_cpu_millicores,
       used_memory_bytes = excluded.used_memory_bytes, sampled_at = excluded.sampled_at`,
    [
      known.map(({ node }) => node),
      known.map(({ allocatableCpuMillicores }) => Math.round(allocatableCpuMillicores)),
      known.map(({ allocatableMemoryBytes }) => Math.round(allocatableMemoryBytes)),
      known.map(({ requestedCpuMillicores }) => Math.round(requestedCpuMillicores)),
      known.map(({ requestedMemoryBytes }) => Math.round(requestedMemoryBytes)),
      known.map(({ usedCpuMillicores }) => roundOrNull(usedCpuMillicores)),
      known.map(({ usedMemoryBytes }) => roundOrNull(usedMemoryBytes)),
    ],
  );
}

const roundOrNull = (figure: number | null) => (figure === null ? null : Math.round(figure));
