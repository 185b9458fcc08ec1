import type { Failure } from '../../domain/failure.js';
import type { WorkRequestState } from '../../domain/work-request/work-request.js';
import type { InputVerdict } from '../../domain/work-request/work-request.wire.js';

/** A row of `work_request` as routes read it. */
export interface WorkRequestRow {
  readonly id: number;
  readonly run_key: string;
  readonly user_id: string;
  readonly model_id: string;
  readonly state: WorkRequestState;
  readonly failure: Failure | null;
  readonly version: number;
  readonly expires_on: string;
  readonly verdict?: InputVerdict | null;
  readonly cache_opt_in: boolean;
  readonly has_header: boolean;
  readonly row_count: number;
  readonly shard_count: number;
  readonly shards_done: number;
  readonly rows_done: number;
  readonly rows_failed: number;
  readonly rows_invalid: number;
  readonly attempts: number;
  readonly model_version: string | null;
  readonly created_at: string;
  readonly last_updated: string;
  readonly instance_ready_at: string | null;
  readonly job_submitted_at: string | null;
  readonly processed_at: string | null;
}

/** A row with what its input and its result are made of: long, and wanted of one request at a time only. */
export interface WholeWorkRequestRow extends WorkRequestRow {
  readonly verdict: InputVerdict | null;
  readonly column_names: readonly string[];
  readonly smiles_column: number;
  readonly result_columns: readonly string[] | null;
}

/** The columns of a `WorkRequestRow`, of a table or result named `r`. */
export const workRequestColumns = `r.id, r.run_key, r.user_id, r.model_id, r.state, r.failure, r.version, r.expires_on,
  r.cache_opt_in, r.has_header, r.row_count, r.shard_count,
  r.shards_done, r.rows_done, r.rows_failed, r.rows_invalid, r.attempts, r.model_version, r.created_at,
  r.last_updated, r.instance_ready_at, r.job_submitted_at, r.processed_at`;

/** The columns of a `WholeWorkRequestRow`. */
export const wholeWorkRequestColumns = `${workRequestColumns}, r.verdict, r.column_names, r.smiles_column, r.result_columns`;
