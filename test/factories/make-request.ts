import { compressText } from '../../db/compressed-text.js';
import type { Sql } from '../../db/database.js';
import { writeShardInput } from '../../domain/work-request/shard-content.js';
import type { WorkRequestState } from '../../domain/work-request/work-request.js';

export interface MadeRequest {
  readonly requestId: number;
  readonly runKey: string;
  readonly userId: string;
  readonly modelId: string;
  readonly expiresOn: string;
}

export interface RequestParts {
  readonly modelId: string;
  readonly userId?: string;
  readonly state?: WorkRequestState;
  readonly memoryBytes?: number;
  /** Texts of the SMILES column, by shard. */
  readonly shards?: readonly (readonly string[])[];
  /** How long ago it was submitted. */
  readonly ageSeconds?: number;
}

/** Inserts a request with its shards, as accepting one does. */
export async function makeRequest(sql: Sql, parts: RequestParts): Promise<MadeRequest> {
  const { modelId, userId = 'user', state = 'QUEUED', shards = [['CCO']], ageSeconds = 0 } = parts;
  const [request] = await sql.rows<{ id: number; run_key: string; expires_on: string }>(
    `insert into work_request (user_id, user_kind, session_id, model_id, state, expires_on, memory_bytes, shard_count,
       row_count, column_names, created_at)
     values ($1, 'guest', 'session', $2, $3, 'tomorrow', $4, $5, $6, '["smiles"]',
       clock_timestamp() - $7 * interval '1 second') returning id, run_key, expires_on`,
    [userId, modelId, state, parts.memoryBytes ?? null, shards.length, shards.flat().length, ageSeconds],
  );
  const made = {
    requestId: request!.id,
    runKey: request!.run_key,
    userId,
    modelId,
    expiresOn: request!.expires_on,
  };
  let firstRow = 0;
  for (const [shardNo, texts] of shards.entries()) {
    await sql.rows(
      `insert into work_request_shard (expires_on, request_id, shard_no, first_row, row_count, input)
       values ($1, $2, $3, $4, $5, $6)`,
      [
        made.expiresOn,
        made.requestId,
        shardNo,
        firstRow,
        texts.length,
        await compressText(writeShardInput({ rows: texts.map((text) => [text]) })),
      ],
    );
    firstRow += texts.length;
  }
  return made;
}

/** As much of a shard's content as rules of shards look at: `count` shards of one row each. */
export function shardsOf(count: number): readonly (readonly string[])[] {
  return Array.from({ length: count }, (_, index) => ['C'.repeat(index + 1)]);
}
