import { setTimeout as sleep } from 'node:timers/promises';
import { decompressText } from '../../db/compressed-text.js';
import type { LeaseFacts } from '../../db/queries/leases.js';
import { planModelInput, type ModelInput } from '../../domain/work-request/assemble-shard-result.js';
import { readShardInput } from '../../domain/work-request/shard-content.js';
import type { ActivityDependencies } from '../dependencies.js';
import { ModelAnswerError } from '../model-server/model-reply.js';
import type { ModelServer } from '../model-server/model-server.js';
import type { ShardAttempt } from './shard-attempt.js';

/** A shard whose molecules are read: what to send, and the keys of its rows. */
export interface PreparedShard {
  readonly attempt: ShardAttempt;
  readonly input: ModelInput;
  readonly keys: readonly (string | null)[];
}

/** Reads a shard's molecules: which are valid, their keys, and the distinct texts to send. */
export async function prepareShard(
  chemistry: ActivityDependencies['chemistry'],
  lease: LeaseFacts,
  attempt: ShardAttempt,
  signal: AbortSignal,
): Promise<PreparedShard> {
  const { rows } = readShardInput(await decompressText(attempt.shard.input));
  const texts = rows.map((row) => (row[lease.smiles_column] ?? '').trim());
  const identities = await chemistry.identify(texts, signal);
  return {
    attempt,
    input: planModelInput(
      texts,
      identities.map(({ valid }) => valid),
    ),
    keys: identities.map((identity) => (identity.valid ? identity.inchiKey || null : null)),
  };
}

/** The call of a shard: where, what, how to remember its job, and what to do once an answer came and before it is read. */
export interface ShardCall {
  readonly address: string;
  readonly executionMode: 'SYNC' | 'ASYNC';
  readonly texts: readonly string[];
  readonly jobId: string | null;
  readonly rememberJob: (jobId: string) => Promise<void>;
  readonly beforeAnswer: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** The model's answer to a shard, as parsed JSON. A job that was submitted before is resumed. */
export async function askModel(server: ModelServer, call: ShardCall): Promise<unknown> {
  if (call.texts.length === 0) return [];
  return call.executionMode === 'SYNC'
    ? server.run(call.address, call.texts, call.signal, call.beforeAnswer)
    : askByJob(server, call);
}

const FIRST_POLL_MS = 20;
const SLOWEST_POLL_MS = 2_000;
/** A server that forgets its jobs more often than this will not keep the next one either. */
const MOST_SUBMISSIONS = 3;

/** A job has the time of a call, whether its server goes on saying that it is pending or says something unknown. */
async function askByJob(server: ModelServer, call: ShardCall): Promise<unknown> {
  const deadline = AbortSignal.timeout(server.runTimeoutMs);
  try {
    return await followJob(server, { ...call, signal: AbortSignal.any([call.signal, deadline]) });
  } catch (error) {
    if (call.signal.aborted || !deadline.aborted) throw error;
    const message = `The model did not finish the job within ${server.runTimeoutMs / 1000} s.`;
    throw new ModelAnswerError(message, true);
  }
}

async function followJob(server: ModelServer, call: ShardCall): Promise<unknown> {
  const { address, signal } = call;
  let jobId = call.jobId;
  let submissions = 0;
  for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * 1.5, SLOWEST_POLL_MS)) {
    if (jobId === null) {
      submissions += 1;
      if (submissions > MOST_SUBMISSIONS) {
        throw new ModelAnswerError(`The model forgot its job ${MOST_SUBMISSIONS} times.`);
      }
      jobId = await server.submitJob(address, call.texts, signal);
      await call.rememberJob(jobId);
      wait = FIRST_POLL_MS;
    }
    const status = await server.readJobStatus(address, jobId, signal);
    if (status === 'completed') return server.readJobResult(address, jobId, signal, call.beforeAnswer);
    if (status === 'failed')
      throw new ModelAnswerError('The model says that the job failed; its log may say why.');
    // A server that forgot the job (it was restarted, or dropped it) is asked anew.
    if (status === null) jobId = null;
    else await sleep(wait, undefined, { signal });
  }
}
