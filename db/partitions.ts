import { planPartitions } from '../domain/retention/plan-partitions.js';
import type { Sql } from './database.js';
import type { RetentionSettings } from './retention.config.js';

const partitionedTables = [
  'work_request_shard',
  'work_request_event',
  'instance_event',
  'instance_log',
] as const;

/** Partitions are made this far ahead, so a hub that nobody restarts for a week still has room. */
const AHEAD_DAYS = 8;

/**
 * Makes every partition that rows written from now on can need. Safe to run at any time and by several at once:
 * one advisory lock serialises them, and what exists is left alone.
 * @returns names of the partitions made
 */
export async function ensurePartitions(sql: Sql, settings: RetentionSettings): Promise<string[]> {
  await sql.rows(`select pg_advisory_xact_lock(hashtext('hub partitions'))`);
  const [clock] = await sql.rows<{ today: string }>(`select current_date::text as today`);
  const ageDays = Math.max(
    settings.GUEST_RETENTION_DAYS,
    settings.REGISTERED_RETENTION_DAYS,
    settings.INSTANCE_RETENTION_DAYS,
  );
  const made: string[] = [];
  for (const table of partitionedTables) {
    const existing = await readPartitions(sql, table);
    for (const { suffix, from, to } of planPartitions(clock!.today, ageDays, AHEAD_DAYS, existing)) {
      await sql.rows(
        `create table if not exists ${table}_${suffix} partition of ${table} for values from ('${from}') to ('${to}')`,
      );
      made.push(`${table}_${suffix}`);
    }
  }
  return made;
}

async function readPartitions(sql: Sql, table: string): Promise<{ from: string; to: string }[]> {
  const bounds = await sql.rows<{ bound: string }>(
    `select pg_get_expr(child.relpartbound, child.oid) as bound
       from pg_inherits join pg_class child on child.oid = inhrelid
      where inhparent = $1::regclass`,
    [table],
  );
  return bounds
    .map(({ bound }) => /FROM \('([\d-]+)'\) TO \('([\d-]+)'\)/.exec(bound))
    .filter((match) => match !== null)
    .map((match) => ({ from: match[1]!, to: match[2]! }));
}
