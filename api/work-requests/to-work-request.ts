import type { WorkRequest } from '../../domain/work-request/work-request.wire.js';
import type { WorkRequestRow } from './work-request-row.js';

/** A request as the wire has it, without its result. `entries` are given where they are shown. */
export function toWorkRequest(row: WorkRequestRow, entries: readonly string[] = []): WorkRequest {
  return {
    id: row.id,
    model_id: row.model_id,
    user_id: row.user_id,
    request_payload: {
      entries: [...entries],
      cache_opt_in: row.cache_opt_in,
      has_header: row.has_header,
    },
    request_date: row.created_at,
    metadata: { job_data: { model_version: row.model_version } },
    request_status: row.state,
    request_status_reason: row.failure?.message ?? null,
    model_job_id: null,
    last_updated: row.last_updated,
    result: null,
    pod_ready_timestamp: row.instance_ready_at,
    job_submission_timestamp: row.job_submitted_at,
    processed_timestamp: row.processed_at,
    input_size: row.row_count + (row.has_header ? 1 : 0),
    server_id: null,
    verdict: row.verdict ?? null,
    progress: {
      rows: row.row_count,
      rows_done: row.rows_done,
      rows_failed: row.rows_failed,
      rows_invalid: row.rows_invalid,
      shards: row.shard_count,
      shards_done: row.shards_done,
      attempts: row.attempts,
      version: row.version,
    },
  };
}
