import { compressText, decompressText } from '../../db/compressed-text.js';
import type { Database } from '../../db/database.js';
import { moveWorkRequest } from '../../db/queries/request-progress.js';
import {
  readShardInput,
  writeShardResult,
  type Cell,
  type RowStatus,
} from '../../domain/work-request/shard-content.js';

/** What a pretended run of a model gives for a row. */
export interface RowAnswer {
  readonly values: readonly Cell[] | null;
  readonly key: string | null;
  readonly status: RowStatus;
}

/** Stores results of the first `shards` shards as a worker would, and moves the request to its end. */
export async function finishRequest(
  database: Database,
  requestId: number,
  columns: readonly string[],
  answer: (row: readonly string[], index: number) => RowAnswer,
  { move = 'complete', shards = Infinity }: { move?: 'complete' | 'fail'; shards?: number } = {},
): Promise<void> {
  const stored = await database.rows<{ shard_no: number; first_row: number; input: Buffer }>(
    `select s.shard_no, s.first_row, s.input from work_request r
       join work_request_shard s on s.expires_on = r.expires_on and s.request_id = r.id where r.id = $1 order by s.shard_no`,
    [requestId],
  );
  for (const { shard_no: shardNo, first_row: firstRow, input } of stored.slice(0, shards)) {
    const { rows } = readShardInput(await decompressText(input));
    const answers = rows.map((row, index) => answer(row, firstRow + index));
    const result = writeShardResult({
      columns,
      rows: answers.map(({ values }) => values),
      keys: answers.map(({ key }) => key),
      status: answers.map(({ status }) => status),
    });
    await database.rows(
      `update work_request_shard s set state = 'DONE', result = $3 from work_request r
        where r.id = $1 and s.expires_on = r.expires_on and s.request_id = r.id and s.shard_no = $2`,
      [requestId, shardNo, await compressText(result)],
    );
  }
  await database.rows(`update work_request set result_columns = $2 where id = $1`, [
    requestId,
    JSON.stringify(columns),
  ]);
  await database.transaction(async (sql) => {
    await moveWorkRequest(sql, requestId, 'plan');
    await moveWorkRequest(sql, requestId, 'run');
    await moveWorkRequest(
      sql,
      requestId,
      move,
      move === 'fail' ? { failure: { type: 'ModelError', message: 'The model said no.' } } : {},
    );
  });
}
