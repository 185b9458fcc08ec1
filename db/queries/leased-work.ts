import type { Sql } from '../database.js';
import { leaseStatement, type LeaseFacts } from './leases.js';

/** A lease with what its model declares: read once by whoever computes. */
export interface LeasedWork extends LeaseFacts {
  /** Names of the columns in the model's order; empty when it declares none. */
  readonly model_columns: readonly string[];
}

const statement = leaseStatement(`jsonb_path_query_array(m.columns, '$[*].name') as model_columns`);

/**
 * The lease and its model's columns, or null when there never was one of this token. Two thousand columns are 300 KB and
 * take twenty times as long as the lease itself: whoever only asks how a lease stands calls `readLease`.
 */
export async function readLeasedWork(sql: Sql, leaseToken: string): Promise<LeasedWork | null> {
  const [work] = await sql.rows<LeasedWork>(statement, [leaseToken]);
  return work ?? null;
}
