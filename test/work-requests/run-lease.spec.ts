import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createModelServer } from '../../activities/model-server/model-server.js';
import { moveWorkRequest } from '../../db/queries/request-progress.js';
import { storeShard, takeShard, type ShardPlace } from '../../db/queries/shards.js';
import { markToEnd, releaseLease } from '../../db/queries/leases.js';
import type { LeaseOutcome } from '../../domain/work-request/settle-attempt.js';
import { makeInstance, type InstanceParts } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { makeRequest, shardsOf, type MadeRequest } from '../factories/make-request.js';
import { answerAfter, answerHonestly, startInlineModel, type InlineModel } from '../support/inline-model.js';
import { openPlayedWorker, PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

describeWith('postgres')('the work under a lease', () => {
  let worker: PlayedWorker;
  let server: InlineModel;
  let model: MadeModel;

  beforeAll(async () => {
    worker = await openPlayedWorker();
    model = await makeModel(worker.database);
    server = await startInlineModel(model.id);
    await worker.deps.chemistry.warmUp();
  });
  afterAll(async () => {
    await server.close();
    await worker.close();
  });
  afterEach(() => {
    server.conduct = answerHonestly;
    server.jobStatus = 'completed';
    server.calls.length = 0;
    worker.host.silent = false;
  });

  const running = (shards: number, modelId = model.id) =>
    makeRequest(worker.database, { modelId, state: 'SCHEDULING', shards: shardsOf(shards) });
  /** A lease on an instance that answers. */
  const lend = async (request: MadeRequest, over: Partial<InstanceParts> & { slice?: number } = {}) => {
    const id = await makeInstance(worker.database, { modelId: request.modelId, ...over });
    worker.host.place(id, request.modelId);
    worker.host.makeReady(id, server.address);
    return { instanceId: id, ...(await makeLease(worker.database, request, id, over.slice)) };
  };
  const run = (place: ShardPlace, environment = new MockActivityEnvironment()) =>
    environment.run(() => worker.activities.runLease(place.leaseToken)) as Promise<LeaseOutcome>;
  /** The same with a model that may take its time. */
  const patiently = async (leaseToken: string, environment = new MockActivityEnvironment()) => {
    const modelServer = createModelServer({
      runTimeoutMs: 20_000,
      callTimeoutMs: 1_000,
      maxReplyBytes: 10_000,
    });
    const patient = new PlayedWorker({ ...worker.deps, modelServer }, worker);
    try {
      return (await environment.run(() => patient.activities.runLease(leaseToken))) as LeaseOutcome;
    } finally {
      await modelServer.close();
    }
  };
  const readRequest = async ({ requestId }: { requestId: number }) =>
    (
      await worker.database.rows<Record<string, unknown>>(`select * from work_request where id = $1`, [
        requestId,
      ])
    )[0]!;
  const readShards = ({ requestId }: { requestId: number }) =>
    worker.database.rows<Record<string, unknown>>(
      `select * from work_request_shard where request_id = $1 order by shard_no`,
      [requestId],
    );
  const readEvents = async ({ requestId }: { requestId: number }) =>
    (
      await worker.database.rows<{ type: string }>(
        `select type from work_request_event where request_id = $1 order by event_no`,
        [requestId],
      )
    ).map(({ type }) => type);
  const until = async (condition: () => boolean | Promise<boolean>) => {
    while (!(await condition())) await sleep(10);
  };

  it('computes every shard, in order, tells each step and says that it was heard', async () => {
    const request = await running(3);
    const place = await lend(request);
    expect(await run(place)).toEqual({ type: 'finished' });
    expect(server.calls).toEqual([['C'], ['CC'], ['CCC']]);
    expect(await readRequest(request)).toMatchObject({
      state: 'PROCESSING',
      shards_done: 3,
      rows_done: 3,
      model_version: 'v1',
      instance_ready_at: expect.any(String),
      job_submitted_at: expect.any(String),
    });
    expect(await readEvents(request)).toEqual(['running', 'progress', 'progress']);
    const [lease] = await worker.database.rows(
      `select state, shards, rows, acknowledged_at from instance_lease where lease_token = $1`,
      [place.leaseToken],
    );
    expect(lease).toEqual({ state: 'GRANTED', shards: 3, rows: 3, acknowledged_at: expect.any(String) });
  });

  it('notes when each instance was called first, also one that takes over from another', async () => {
    const request = await running(1);
    const firstCall = async (instanceId: string) => {
      const [row] = await worker.database.rows<{ at: string | null }>(
        `select first_call_at as at from model_instance where id = $1`,
        [instanceId],
      );
      return row!.at;
    };
    const failing = await lend(request);
    expect(await firstCall(failing.instanceId)).toBeNull();
    server.conduct = (_, response) => void response.writeHead(500).end();
    expect(await run(failing)).toMatchObject({ type: 'failed' });
    server.conduct = answerHonestly;
    const first = await firstCall(failing.instanceId);
    expect(first).not.toBeNull();
    await worker.database.transaction((sql) => releaseLease(sql, failing.leaseToken, { outcome: 'failed' }));
    const next = await lend(request);
    expect(await firstCall(next.instanceId)).toBeNull();
    expect(await run(next)).toEqual({ type: 'finished' });
    expect(Date.parse((await firstCall(next.instanceId))!)).toBeGreaterThan(Date.parse(first!));
    await run(await makeLease(worker.database, await running(1), failing.instanceId));
    expect(await firstCall(failing.instanceId)).toBe(first);
  });

  it('heartbeats while the model computes', async () => {
    const environment = new MockActivityEnvironment();
    let beats = 0;
    environment.on('heartbeat', () => (beats += 1));
    server.conduct = async (rows, response) => {
      await until(() => beats > 0);
      return answerHonestly(rows, response);
    };
    const { leaseToken } = await lend(await running(1));
    expect(await patiently(leaseToken, environment)).toEqual({ type: 'finished' });
  });

  it('goes on where an ended worker stopped, without computing stored shards again', async () => {
    const request = await running(4);
    const place = await lend(request);
    const environment = new MockActivityEnvironment();
    server.conduct = async (rows, response) => {
      if (rows[0] === 'CCC') {
        environment.cancel();
        await sleep(200);
      }
      return answerHonestly(rows, response);
    };
    await expect(run(place, environment)).rejects.toThrow('cancelled');
    expect(await readRequest(request)).toMatchObject({ shards_done: 2 });
    server.calls.length = 0;
    server.conduct = answerHonestly;
    expect(await run(place)).toEqual({ type: 'finished' });
    expect(server.calls).toEqual([['CCC'], ['CCCC']]);
    expect(await readRequest(request)).toMatchObject({ shards_done: 4, rows_done: 4 });
  });

  it('goes on when an earlier try of itself stores a shard after all', async () => {
    const request = await running(3);
    const place = await lend(request);
    server.conduct = async (rows, response) => {
      if (rows[0] === 'C') {
        const stored = await worker.database.transaction((sql) =>
          storeShard(sql, place, {
            shardNo: 0,
            rowCount: 1,
            rowsFailed: 0,
            rowsInvalid: 0,
            columns: ['length'],
            result: Buffer.from('stored by the earlier try'),
          }),
        );
        expect(stored).toBe(true);
      }
      return answerHonestly(rows, response);
    };
    expect(await run(place)).toEqual({ type: 'finished' });
    expect(await readRequest(request)).toMatchObject({ shards_done: 3, rows_done: 3 });
  });

  it('leaves a shard that another lease of the run works on, and takes it over when that is over', async () => {
    const request = await running(2);
    const other = await lend(request, { slice: 1 });
    await takeShard(worker.database, other, []);
    const place = await lend(request);
    expect(await run(place)).toEqual({ type: 'finished' });
    expect(await readShards(request)).toMatchObject([{ state: 'RUNNING' }, { state: 'DONE' }]);
    await releaseLease(worker.database, other.leaseToken, { outcome: 'lost' });
    const next = await lend(request);
    expect(await run(next)).toEqual({ type: 'finished' });
    expect(await readShards(request)).toMatchObject([{ state: 'DONE', attempt: 2 }, { state: 'DONE' }]);
  });

  it('gives its instance to who waits while another slice works on the last shard', async () => {
    const busy = await makeModel(worker.database, { id: `${model.id}-shared`, maxInstances: 2 });
    const request = await running(2, busy.id);
    const other = await lend(request, { slice: 1 });
    await takeShard(worker.database, other, []);
    const place = await lend(request);
    const waiting = await makeRequest(worker.database, { modelId: busy.id });
    expect((await worker.activities.beginWorkRequest(waiting)).claim.type).toBe('waiting');
    expect(await run(place)).toEqual({ type: 'finished' });
    expect(
      await worker.database.rows(
        `select request_id, state, outcome, instance_id from instance_lease where instance_id = $1 order by granted_at`,
        [place.instanceId],
      ),
    ).toEqual([
      {
        request_id: request.requestId,
        state: 'RELEASED',
        outcome: 'finished',
        instance_id: place.instanceId,
      },
      { request_id: waiting.requestId, state: 'GRANTED', outcome: null, instance_id: place.instanceId },
    ]);
    expect(worker.workflows.words).toContain(`signal request ${waiting.requestId}`);
    // The same work asked for once more, as after a lost answer, has no lease and does nothing.
    expect(await run(place)).toEqual({ type: 'ended' });
  });

  it('resumes the job it submitted, and submits anew what the server forgot', async () => {
    const asynchronous = await makeModel(worker.database, { executionMode: 'ASYNC' });
    const request = await running(1, asynchronous.id);
    const place = await lend(request);
    await worker.database.rows(
      `update work_request_shard set state = 'RUNNING', lease_token = $2, job_id = $3 where request_id = $1`,
      [request.requestId, place.leaseToken, 'kept'],
    );
    server.jobs.set('kept', ['C']);
    expect(await run(place)).toEqual({ type: 'finished' });
    expect([...server.jobs.keys()]).toEqual(['kept']);

    const second = await running(1, asynchronous.id);
    const forgetting = await lend(second);
    await worker.database.rows(
      `update work_request_shard set state = 'RUNNING', lease_token = $2, job_id = 'forgotten' where request_id = $1`,
      [second.requestId, forgetting.leaseToken],
    );
    expect(await run(forgetting)).toEqual({ type: 'finished' });
    expect(await readShards(second)).toMatchObject([{ state: 'DONE', job_id: 'job-2' }]);
  });

  it.each(['pending', 'thinking'])(
    'gives up a job that stays %s for longer than a call may take',
    async (status) => {
      const asynchronous = await makeModel(worker.database, { executionMode: 'ASYNC' });
      server.jobStatus = status;
      const request = await running(1, asynchronous.id);
      const outcome = run(await lend(request));
      // With its id stored, the shard is in the model's hands: whoever ends now did not die of it.
      await until(async () => (await readShards(request))[0]!.job_id !== null);
      expect(await readShards(request)).toMatchObject([{ state: 'RUNNING', attempt: 0 }]);
      expect(await outcome).toEqual({
        type: 'failed',
        // Its server may still be at work on it, so the instance is not lent again.
        instanceBusy: true,
        failure: {
          type: 'ModelError',
          message: expect.stringMatching(
            /^The model did not finish the job within 1\.5 s\. Tell the maintainer/,
          ),
        },
      });
    },
  );

  it('takes back the attempts of shards that wait for long, and counts them again when their answers come', async () => {
    const attempts = async () => (await readShards(request)).map(({ attempt }) => attempt);
    const request = await running(2);
    const { leaseToken } = await lend(request);
    let seen: { early: unknown; late?: unknown } | undefined;
    server.conduct = async (rows, response) => {
      if (seen === undefined) {
        await until(async () => !(await attempts()).includes(0));
        seen = { early: await attempts() };
        await until(async () => !(await attempts()).includes(1));
        seen.late = await attempts();
      }
      return answerHonestly(rows, response);
    };
    expect(await patiently(leaseToken)).toEqual({ type: 'finished' });
    expect(seen).toEqual({ early: [1, 1], late: [0, 0] });
    expect(await readShards(request)).toMatchObject([
      { state: 'DONE', attempt: 1 },
      { state: 'DONE', attempt: 1 },
    ]);
  });

  it('waits for an instance that is not ready, and for one that its watch has not seen yet', async () => {
    const request = await running(1);
    const id = await makeInstance(worker.database, { modelId: model.id, state: 'INITIALIZING', uid: 'uid' });
    const place = await makeLease(worker.database, request, id);
    const outcome = run(place);
    await sleep(300);
    worker.host.place(id, model.id, { uid: 'uid' });
    await sleep(50);
    worker.host.makeReady(id, server.address);
    expect(await outcome).toEqual({ type: 'finished' });
  });

  it('writes that it computes while it does, and takes that back when it is taken up anew', async () => {
    const place = await lend(await running(1));
    const begunAt = async () =>
      (
        await worker.database.rows<{ begun_at: string | null }>(
          `select begun_at from instance_lease where lease_token = $1`,
          [place.leaseToken],
        )
      )[0]!.begun_at;
    const environment = new MockActivityEnvironment();
    server.conduct = answerAfter(1_400);
    const first = run(place, environment);
    await until(() => server.calls.length === 1);
    await until(async () => (await begunAt()) !== null);
    environment.cancel();
    await expect(first).rejects.toThrow('cancelled');
    worker.host.change(place.instanceId, { ready: false });
    const second = run(place);
    await until(async () => (await begunAt()) === null);
    server.conduct = answerHonestly;
    worker.host.makeReady(place.instanceId, server.address);
    expect(await second).toEqual({ type: 'finished' });
  });

  it('sends the first rows although the server never states its version', async () => {
    const mute = await startInlineModel('another model');
    const request = await running(1);
    const place = await lend(request);
    worker.host.makeReady(place.instanceId, mute.address);
    expect(await run(place)).toEqual({ type: 'finished' });
    expect(await readRequest(request)).toMatchObject({ shards_done: 1, model_version: null });
    await mute.close();
  });

  it('stops within a second when the request is cancelled, and stores nothing more', async () => {
    server.conduct = answerAfter(1_400);
    const request = await running(2);
    const outcome = run(await lend(request));
    await until(() => server.calls.length === 1);
    const startedAt = performance.now();
    await moveWorkRequest(worker.database, request.requestId, 'cancel');
    expect(await outcome).toEqual({ type: 'ended' });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(await readRequest(request)).toMatchObject({ state: 'CANCELLED', shards_done: 0 });
  });

  it('X-W16: ends its call at once when the instance is stopped, and says who did it', async () => {
    server.conduct = answerAfter(1_400);
    const place = await lend(await running(1));
    const outcome = run(place);
    await until(() => server.calls.length === 1);
    const startedAt = performance.now();
    await worker.database.transaction((sql) => markToEnd(sql, place.instanceId, 'STOPPED', 'asked'));
    expect(await outcome).toEqual({
      type: 'lost',
      crashed: false,
      message: 'The instance was stopped by an operator.',
    });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('stops when its lease is given to a new run', async () => {
    server.conduct = answerAfter(1_400);
    const request = await running(1);
    const outcome = run(await lend(request));
    await until(() => server.calls.length === 1);
    await worker.database.rows(
      `with moved as (update work_request set run_key = 'anew' where id = $1 returning id)
       select pg_notify('hub_request', id || ':0') from moved`,
      [request.requestId],
    );
    expect(await outcome).toEqual({ type: 'ended' });
  });

  it('is nothing for a lease that is over before it begins, or never was', async () => {
    const request = await running(1);
    const place = await lend(request);
    await releaseLease(worker.database, place.leaseToken, { outcome: 'lost' });
    expect(await run(place)).toEqual({ type: 'ended' });
    expect(await run({ ...place, leaseToken: 'invented' })).toEqual({ type: 'ended' });
    expect(server.calls).toEqual([]);
  });

  it('stores answers whose names and version no database can hold', async () => {
    server.version = 'v\u00001';
    server.conduct = (rows, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(rows.map(() => ({ 'na\u0000me': 'va\u0000lue' }))));
    const request = await running(1);
    expect(await run(await lend(request))).toEqual({ type: 'finished' });
    expect(await readRequest(request)).toMatchObject({
      model_version: 'v\ufffd1',
      result_columns: ['na\ufffdme'],
    });
    server.version = 'v1';
  });

  it.each(['runLease', 'runSmall'] as const)(
    'gives up in %s a shard that was started twelve times and never finished',
    async (effect) => {
      const request = await running(1);
      const place = await lend(request);
      await worker.database.rows(`update work_request_shard set attempt = 12 where request_id = $1`, [
        request.requestId,
      ]);
      const outcome = await new MockActivityEnvironment().run(() =>
        worker.activities[effect](place.leaseToken),
      );
      expect(outcome).toMatchObject({
        type: 'failed',
        instanceBusy: false,
        failure: { type: 'Infrastructure', message: expect.stringContaining('started 12 times') },
      });
      expect(server.calls).toEqual([]);
    },
  );
});
