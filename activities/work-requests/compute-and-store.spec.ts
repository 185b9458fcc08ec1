import { expect, it } from '@jest/globals';
import type { LeasedWork } from '../../db/queries/leased-work.js';
import { type ModelServer, ModelUnreachableError } from '../model-server/model-server.js';
import { computeShard } from './compute-and-store.js';
import { ShardAttempt } from './shard-attempt.js';

type Attempted = ConstructorParameters<typeof ShardAttempt>[0];

it('a job that was submitted is asked for again, and no other submitted, after the line to its server was cut', async () => {
  let submitted = 0;
  let cuts = 1;
  const modelServer = {
    runTimeoutMs: 1_000,
    submitJob: async () => `job-${(submitted += 1)}`,
    async readJobStatus() {
      if (cuts-- > 0) throw new ModelUnreachableError('cut');
      return 'completed';
    },
    readJobResult: async (_: string, jobId: string) => [{ job: jobId }],
  } as unknown as ModelServer;
  const log = { info: () => undefined, warn: () => undefined };
  const deps = { modelServer, log, modelSpeeds: { record: () => undefined, isSmall: () => false } };
  const attempt = new ShardAttempt(
    { database: { rows: async () => [] } as unknown as Attempted['database'], log },
    { leaseToken: 'token', requestId: 1, expiresOn: 'tomorrow' },
    { shard_no: 0, row_count: 1, attempt: 1, job_id: null, input: Buffer.alloc(0) },
  );
  const prepared = { attempt, input: { texts: ['C'], textOfRow: [0] }, keys: [null] };
  const lease = { model_id: 'model', execution_mode: 'ASYNC', model_columns: [] } as unknown as LeasedWork;
  const { signal } = new AbortController();
  const compute = () => computeShard(deps, lease, prepared, 'nowhere:1', signal);
  await expect(compute()).rejects.toThrow('cut');
  expect(await compute()).toMatchObject({ columns: ['job'], rowsFailed: 0 });
  expect(submitted).toBe(1);
});
