import { planPartitions } from '../domain/retention/plan-partitions.js';
import type { Sql } from './database.js';
import type { RetentionSettings } from './retention.config.js';

type Age = (settings: RetentionSettings) => number;
const oldestRequest: Age = (settings) =>
  Math.max(settings.GUEST_RETENTION_DAYS, settings.REGISTERED_RETENTION_DAYS);
const oldestInstance: Age = (settings) => settings.INSTANCE_RETENTION_DAYS;

/** The greatest age in days of each table's rows; 0 when all of them are kept for ever. */
const partitionedTables: Readonly<Record<string, Age>> = {
  work_request_shard: oldestRequest,
  work_request_event: oldestRequest,
  instance_event: oldestInstance,
  instance_log: oldestInstance,
  usage_sample: oldestInstance,
};

/** Partitions are made this far ahead, so a hub that nobody restarts for a week still has room. */
const AHEAD_DAYS = 8;

/**
 * Makes every partition that rows written from now on can need. Safe at any time and by several at once: one advisory
 * lock serialises them, what exists is left alone, and nobody who reads or writes rows waits.
 * @param sql a transaction; what it makes is there when it commits
 * @returns names of the partitions made
 */
export async function ensurePartitions(sql: Sql, settings: RetentionSettings): Promise<string[]> {
  await sql.rows(`select pg_advisory_xact_lock(hashtext('hub partitions'))`);
  const [clock] = await sql.rows<{ today: string }>(`select current_date as today`);
  const made: string[] = [];
  for (const [table, oldest] of Object.entries(partitionedTables)) {
    const ageDays = oldest(settings);
    if (ageDays === 0) continue;
    const existing = await readPartitions(sql, table);
    for (const { suffix, from, to } of planPartitions(clock!.today, ageDays, AHEAD_DAYS, existing)) {
      made.push(await makePartition(sql, table, `${table}_${suffix}`, from, to));
    }
  }
  return made;
}

/** In two steps: `create … partition of` would wait for everybody who writes, and everybody else behind it. */
async function makePartition(
  sql: Sql,
  table: string,
  name: string,
  from: string,
  to: string,
): Promise<string> {
  await sql.rows(`create table ${name} (like ${table} including all)`);
  await sql.rows(`alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}')`);
  return name;
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
