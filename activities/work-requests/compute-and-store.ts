import { compressText } from '../../db/compressed-text.js';
import type { LeasedWork } from '../../db/queries/leased-work.js';
import type { LeaseFacts } from '../../db/queries/leases.js';
import type { ComputedShard, ShardPlace } from '../../db/queries/shards.js';
import { assembleShardResult } from '../../domain/work-request/assemble-shard-result.js';
import { writeShardResult } from '../../domain/work-request/shard-content.js';
import type { ActivityDependencies } from '../dependencies.js';
import { ModelAnswerError } from '../model-server/model-reply.js';
import { askModel, type PreparedShard } from './compute-shard.js';

/** Where a lease's shards are. */
export function shardPlace(lease: LeaseFacts): ShardPlace {
  return { leaseToken: lease.lease_token, requestId: lease.request_id, expiresOn: lease.expires_on };
}

/**
 * Asks the model for one shard and makes its result ready to store.
 * @throws ModelAnswerError when the answer is not what the protocol says
 */
export async function computeShard(
  deps: Pick<ActivityDependencies, 'modelServer' | 'modelSpeeds' | 'log'>,
  lease: LeasedWork,
  { attempt, input, keys }: PreparedShard,
  address: string,
  signal: AbortSignal,
): Promise<ComputedShard> {
  const { shard } = attempt;
  const startedAt = performance.now();
  const answer = await askModel(deps.modelServer, {
    address,
    executionMode: lease.execution_mode,
    texts: input.texts,
    jobId: attempt.jobId,
    rememberJob: (jobId) => attempt.rememberJob(jobId),
    beforeAnswer: () => attempt.stopWaiting(),
    signal,
  });
  if (input.texts.length > 0) {
    deps.modelSpeeds.record(lease.model_id, { rows: shard.row_count, ms: performance.now() - startedAt });
  }
  const columns = lease.model_columns.length > 0 ? lease.model_columns : null;
  const assembled = assembleShardResult({ input, keys, answer, columns });
  if (!assembled.ok) throw new ModelAnswerError(sentence(assembled.problem));
  if (assembled.ignored.length > 0) {
    deps.log.warn('the model answers with columns it does not declare', {
      model: lease.model_id,
      columns: assembled.ignored.slice(0, 5),
    });
  }
  const { result } = assembled;
  return {
    shardNo: shard.shard_no,
    rowCount: shard.row_count,
    rowsFailed: result.status.filter((status) => status === 'failed').length,
    rowsInvalid: result.status.filter((status) => status === 'invalid').length,
    columns: result.columns,
    result: await compressText(writeShardResult(result)),
  };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
