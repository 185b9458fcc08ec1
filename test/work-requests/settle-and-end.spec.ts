import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { ClaimStatus } from '../../activities/process-work-request.effects.js';
import { lockClaims } from '../../db/queries/claims.js';
import { moveWorkRequest } from '../../db/queries/request-progress.js';
import { storeShard, takeShard, type ShardPlace } from '../../db/queries/shards.js';
import type { LeaseOutcome } from '../../domain/work-request/settle-attempt.js';
import { makeInstance } from '../factories/make-instance.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { makeRequest, shardsOf, type MadeRequest } from '../factories/make-request.js';
import { answerAfter, answerHonestly, startInlineModel, type InlineModel } from '../support/inline-model.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

type Granted = Extract<ClaimStatus, { type: 'granted' }>;

describeWith('postgres')('a request between its instances and its end', () => {
  let worker: PlayedWorker;
  let server: InlineModel;

  beforeAll(async () => {
    worker = (await openPlayedWorker()).with({ maxInstances: 1_000 });
    server = await startInlineModel();
    await worker.deps.chemistry.warmUp();
  });
  afterAll(async () => {
    await server.close();
    await worker.close();
  });
  afterEach(() => {
    server.conduct = answerHonestly;
    server.calls.length = 0;
    worker.workflows.words.length = 0;
    worker.workflows.away = null;
  });

  /** A request of a model of its own, so that no other story's instances are lent to it. */
  const submit = async (shards = 1, over: Partial<MadeModel> = {}): Promise<MadeRequest> =>
    makeRequest(worker.database, {
      modelId: (await makeModel(worker.database, over)).id,
      shards: shardsOf(shards),
    });
  const begin = async (request: MadeRequest): Promise<Granted> => {
    const { claim } = await worker.activities.beginWorkRequest(request);
    expect(claim.type).toBe('granted');
    return claim as Granted;
  };
  const warm = async (modelId: string) => {
    const id = await makeInstance(worker.database, { modelId });
    worker.host.place(id, modelId);
    worker.host.makeReady(id, server.address);
    return id;
  };
  const store = async (request: MadeRequest, leaseToken: string) => {
    const place: ShardPlace = { leaseToken, requestId: request.requestId, expiresOn: request.expiresOn };
    const shard = await takeShard(worker.database, place, []);
    const counts = { rowCount: 1, rowsFailed: 0, rowsInvalid: 0 };
    return worker.database.transaction((sql) =>
      storeShard(sql, place, {
        ...counts,
        shardNo: shard!.shard_no,
        columns: ['length'],
        result: Buffer.from('x'),
      }),
    );
  };
  const settle = (claim: Granted, outcome: LeaseOutcome) =>
    worker.activities.settleLease(claim.leaseToken, outcome);
  const outOfMemory = (memoryLimitBytes: number): LeaseOutcome => ({
    type: 'out-of-memory',
    memoryLimitBytes,
    message: 'The model server used more memory than it may and was killed.',
  });
  const lost: LeaseOutcome = { type: 'lost', crashed: false, message: 'gone' };
  const crashed: LeaseOutcome = { type: 'lost', crashed: true, message: 'It crashed.' };

  const until = async (condition: () => boolean) => {
    while (!condition()) await sleep(5);
  };
  /** As if the time had passed. */
  const endPauses = ({ requestId }: MadeRequest) =>
    worker.database.rows(
      `update instance_lease set requested_at = clock_timestamp() where request_id = $1 and state = 'WAITING'`,
      [requestId],
    );

  const readRequest = async ({ requestId }: MadeRequest) =>
    (
      await worker.database.rows<Record<string, unknown>>(`select * from work_request where id = $1`, [
        requestId,
      ])
    )[0]!;
  const readLeases = ({ requestId }: MadeRequest) =>
    worker.database.rows<Record<string, unknown>>(
      `select lease_token, slice, state, outcome, instance_id, memory_bytes from instance_lease
        where request_id = $1 order by requested_at, slice`,
      [requestId],
    );
  const readInstance = async (id: string) =>
    (
      await worker.database.rows<Record<string, unknown>>(`select * from model_instance where id = $1`, [id])
    )[0]!;
  const readEvents = async ({ requestId }: MadeRequest) =>
    (
      await worker.database.rows<{ type: string }>(
        `select type from work_request_event where request_id = $1 order by event_no`,
        [requestId],
      )
    ).map(({ type }) => type);
  const readStatistics = ({ requestId }: MadeRequest) =>
    worker.database.rows<Record<string, unknown>>(`select * from request_statistic where request_id = $1`, [
      requestId,
    ]);

  it('begins twice with one claim, one instance and one start', async () => {
    const request = await submit();
    const first = await worker.activities.beginWorkRequest(request);
    const second = await worker.activities.beginWorkRequest(request);
    expect(second).toEqual(first);
    expect(await readRequest(request)).toMatchObject({ state: 'SCHEDULING' });
    expect(await readLeases(request)).toHaveLength(1);
    const { instanceId } = first.claim as Granted;
    expect(worker.workflows.words.filter((word) => word === `start instance ${instanceId}`)).toHaveLength(1);
    expect(await readEvents(request)).toEqual(['instance-starting']);
  });

  it('stays queued while its model is switched off, and is planned when it gets an instance', async () => {
    const request = await submit(1, { enabled: false });
    const { claim } = await worker.activities.beginWorkRequest(request);
    expect(claim).toMatchObject({ type: 'waiting', because: expect.stringContaining('switched off') });
    const { leaseToken } = claim as { leaseToken: string };
    expect(await worker.activities.readClaim(leaseToken)).toMatchObject({ type: 'waiting' });
    expect(await readRequest(request)).toMatchObject({ state: 'QUEUED' });
    await worker.database.rows(`update model set enabled = true where id = $1`, [request.modelId]);
    expect(await worker.activities.readClaim(leaseToken)).toMatchObject({ type: 'granted' });
    expect(await readRequest(request)).toMatchObject({ state: 'SCHEDULING' });
  });

  it('of a model that was switched off is planned also when somebody else’s claim served it', async () => {
    const request = await submit(1, { enabled: false });
    const { claim } = await worker.activities.beginWorkRequest(request);
    const { leaseToken } = claim as { leaseToken: string };
    await worker.database.rows(`update model set enabled = true where id = $1`, [request.modelId]);
    await begin(await submit());
    expect(await readLeases(request)).toMatchObject([{ state: 'GRANTED' }]);
    expect(await worker.activities.readClaim(leaseToken)).toMatchObject({ type: 'granted' });
    expect(await readRequest(request)).toMatchObject({ state: 'SCHEDULING' });
  });

  it('does not begin for an older run, nor after its end', async () => {
    const request = await submit();
    const ended = { claim: { type: 'ended' }, slices: 0 };
    expect(await worker.activities.beginWorkRequest({ ...request, runKey: 'older' })).toEqual(ended);
    await moveWorkRequest(worker.database, request.requestId, 'cancel');
    expect(await worker.activities.beginWorkRequest(request)).toEqual(ended);
    expect(await worker.activities.claimSlice(request, 1)).toEqual({ type: 'ended' });
    expect(await readLeases(request)).toEqual([]);
  });

  it.each([
    [1, -1, 1],
    [5, -1, 2],
    [5, 1, 1],
    [5, 0, 1],
    [5, 7, 2],
  ])('of %s shards with max_instances %s works on %s instances', async (shards, maxInstances, slices) => {
    const request = await submit(shards, { maxInstances });
    expect(await worker.activities.beginWorkRequest(request)).toMatchObject({ slices });
  });

  it('gives up a claim that waits though no shard is left, and finishes', async () => {
    const request = await submit(2, { maxInstances: 1 });
    const first = await begin(request);
    const waiting = await worker.activities.claimSlice(request, 1);
    expect(waiting).toMatchObject({
      type: 'waiting',
      because: expect.stringContaining('busy (1 of at most 1)'),
    });
    const { leaseToken } = waiting as { leaseToken: string };
    expect(await worker.activities.readClaim(leaseToken)).toMatchObject({ type: 'waiting' });
    await store(request, first.leaseToken);
    await store(request, first.leaseToken);
    expect(await worker.activities.readClaim(leaseToken)).toEqual({ type: 'finished' });
    await worker.activities.endWorkRequest(request);
    expect(await readRequest(request)).toMatchObject({ state: 'COMPLETED' });
    expect(await readLeases(request)).toMatchObject([{ outcome: 'finished' }, { outcome: 'not needed' }]);
  });

  it('waits again when its instance is lost, unless another one goes on with it', async () => {
    const request = await submit(2);
    const first = await begin(request);
    const second = (await worker.activities.claimSlice(request, 1)) as Granted;
    const startComputing = async ({ leaseToken }: Granted) => {
      await worker.database.rows(`update instance_lease set begun_at = now() where lease_token = $1`, [
        leaseToken,
      ]);
      await moveWorkRequest(worker.database, request.requestId, 'run');
    };
    await startComputing(first);
    await startComputing(second);
    await settle(first, lost);
    expect(await readRequest(request)).toMatchObject({ state: 'PROCESSING' });
    await settle(second, lost);
    expect(await readRequest(request)).toMatchObject({ state: 'SCHEDULING' });
  });

  it('that looks for its place does not stand in the way of those who serve claims', async () => {
    const request = await submit(1, { maxInstances: 0 });
    const { claim } = await worker.activities.beginWorkRequest(request);
    const { leaseToken } = claim as { leaseToken: string };
    expect(await worker.activities.readClaim(leaseToken)).toMatchObject({
      type: 'waiting',
      position: expect.any(Number),
    });
    await worker.database.transaction(async (sql) => {
      await lockClaims(sql);
      expect(await worker.activities.readClaim(leaseToken)).toMatchObject({
        type: 'waiting',
        position: null,
      });
    });
  });

  it('ends once, with one statistic, and hands its instance over to the next', async () => {
    const request = await submit();
    const instanceId = await warm(request.modelId);
    const claim = await begin(request);
    expect(claim).toMatchObject({ instanceId, ready: true, small: false });
    await worker.database.rows(`update model set max_instances = 1 where id = $1`, [request.modelId]);
    const next = await makeRequest(worker.database, { modelId: request.modelId });
    expect((await worker.activities.beginWorkRequest(next)).claim.type).toBe('waiting');
    await store(request, claim.leaseToken);
    await worker.activities.endWorkRequest(request);
    await worker.activities.endWorkRequest(request);
    expect(await readRequest(request)).toMatchObject({ state: 'COMPLETED' });
    expect(await readStatistics(request)).toMatchObject([{ state: 'COMPLETED', row_count: 1 }]);
    expect((await readEvents(request)).filter((type) => type === 'completed')).toHaveLength(1);
    expect(await readLeases(next)).toMatchObject([{ state: 'GRANTED', instance_id: instanceId }]);
    expect(worker.workflows.words).toContain(`signal request ${next.requestId}`);
  });

  it('is not completed while a shard is missing', async () => {
    const request = await submit(2);
    const claim = await begin(request);
    await store(request, claim.leaseToken);
    await expect(worker.activities.endWorkRequest(request)).rejects.toMatchObject({
      nonRetryable: true,
      message: expect.stringContaining('1 of its shards are not stored'),
    });
    expect(await readRequest(request)).toMatchObject({ state: 'SCHEDULING' });
    expect(await readLeases(request)).toMatchObject([{ state: 'GRANTED' }]);
  });

  it('that is cancelled gives its working instance back to end, and a starting one to be warm', async () => {
    const request = await submit(2);
    const busy = await warm(request.modelId);
    const first = await begin(request);
    const second = (await worker.activities.claimSlice(request, 1)) as Granted;
    for (const { leaseToken } of [first, second])
      await takeShard(worker.database, { ...request, leaseToken }, []);
    await worker.activities.abandonWorkRequest(request);
    await worker.activities.abandonWorkRequest(request);
    expect(await readRequest(request)).toMatchObject({ state: 'CANCELLED' });
    expect(await readStatistics(request)).toMatchObject([{ state: 'CANCELLED' }]);
    expect(await readLeases(request)).toMatchObject([{ state: 'RELEASED' }, { state: 'RELEASED' }]);
    expect(await readInstance(busy)).toMatchObject({
      state: 'SHOULD_TERMINATE',
      termination_reason: 'STOPPED',
    });
    expect(await readInstance(second.instanceId)).toMatchObject({ state: 'REQUESTED' });
    expect(worker.workflows.words).toContain(`signal instance ${busy}`);
  });

  it('runs again with twice the memory after it ran out, and never with less', async () => {
    const request = await submit();
    let claim = await begin(request);
    const settled: unknown[] = [];
    for (const limit of [512, 1024]) {
      const next = (await settle(claim, outOfMemory(limit * MEBIBYTE))) as Granted;
      expect(next.type).toBe('granted');
      expect(next.instanceId).not.toBe(claim.instanceId);
      expect(await readInstance(claim.instanceId)).toMatchObject({ termination_reason: 'OOMKILLED' });
      settled.push((await readInstance(next.instanceId)).memory_limit_bytes);
      claim = next;
    }
    expect(settled).toEqual([1024 * MEBIBYTE, 2048 * MEBIBYTE]);
    expect(await settle(claim, outOfMemory(2048 * MEBIBYTE))).toEqual({ type: 'ended' });
    expect(await readRequest(request)).toMatchObject({
      state: 'FAILED',
      memory_kills: 3,
      attempts: 3,
      failure: { type: 'OutOfMemory', message: expect.stringContaining('3 times, at last with 2048 MiB') },
    });
    expect(await readStatistics(request)).toMatchObject([
      { state: 'FAILED', failure_type: 'OutOfMemory', attempts: 3 },
    ]);
    const [model] = await worker.database.rows<{ memory_limit_mebibytes: number }>(
      `select memory_limit_mebibytes from model where id = $1`,
      [request.modelId],
    );
    expect(model!.memory_limit_mebibytes).toBe(512);
  });

  it('gets all of the largest node at last, and fails when that is not enough', async () => {
    const request = await submit(1, { memoryBytes: 6000 * MEBIBYTE });
    const last = (await settle(await begin(request), outOfMemory(6000 * MEBIBYTE))) as Granted;
    expect(await readInstance(last.instanceId)).toMatchObject({ memory_limit_bytes: 8192 * MEBIBYTE });
    expect(await settle(last, outOfMemory(8192 * MEBIBYTE))).toEqual({ type: 'ended' });
    expect(await readRequest(request)).toMatchObject({
      state: 'FAILED',
      failure: { message: expect.stringContaining('the largest holds 8192 MiB') },
    });
  });

  it('is settled once when the first settlement’s answer was lost', async () => {
    const request = await submit();
    const claim = await begin(request);
    const first = await settle(claim, lost);
    const second = await settle(claim, lost);
    expect(first).toMatchObject({ type: 'granted' });
    expect(second).toEqual(first);
    expect(await readRequest(request)).toMatchObject({ attempts: 1 });
    expect(await readLeases(request)).toHaveLength(2);
  });

  it('waits ever longer when one instance after the other is lost before it did any work', async () => {
    const request = await submit();
    const claim = await begin(request);
    const second = (await settle(claim, lost)) as Granted;
    expect(second.type).toBe('granted');
    const pausing = await settle(second, lost);
    expect(pausing).toMatchObject({
      type: 'waiting',
      because: expect.stringMatching(/lost before they did any work; the next one is asked for in [1-5] s/),
    });
    const { leaseToken } = pausing as { leaseToken: string };
    expect(await settle(second, lost)).toMatchObject({ type: 'waiting', leaseToken });
    expect(await worker.activities.readClaim(leaseToken)).toMatchObject({ type: 'waiting' });
    expect(await readLeases(request)).toHaveLength(3);
    await endPauses(request);
    expect(await worker.activities.readClaim(leaseToken)).toMatchObject({ type: 'granted' });
  });

  it.each([
    ['a lost machine counts against no shard', lost, [0, 0]],
    ['a crash counts against the shard in work, not the one read ahead', crashed, [1, 0]],
    ['running out of memory counts against the shard in work', outOfMemory(512 * MEBIBYTE), [1, 0]],
  ])('whose instance ends: %s', async (_, outcome, attempts) => {
    const request = await submit(2);
    const claim = await begin(request);
    const place: ShardPlace = { ...request, leaseToken: claim.leaseToken };
    await takeShard(worker.database, place, []);
    await takeShard(worker.database, place, [0]);
    await settle(claim, outcome);
    await settle(claim, outcome);
    const shards = await worker.database.rows<{ attempt: number }>(
      `select attempt from work_request_shard where request_id = $1 order by shard_no`,
      [request.requestId],
    );
    expect(shards.map(({ attempt }) => attempt)).toEqual(attempts);
  });

  it('goes on however often machines are lost, and blames the model only for its own crashes', async () => {
    const request = await submit();
    let claim = await begin(request);
    const settleAndWait = async (outcome: LeaseOutcome) => {
      const { leaseToken } = (await settle(claim, outcome)) as { leaseToken: string };
      await endPauses(request);
      claim = (await worker.activities.readClaim(leaseToken)) as Granted;
    };
    for (let time = 0; time < 6; time += 1) await settleAndWait(lost);
    for (let time = 0; time < 4; time += 1) await settleAndWait(crashed);
    expect(claim.type).toBe('granted');
    expect(await settle(claim, crashed)).toEqual({ type: 'ended' });
    expect(await readRequest(request)).toMatchObject({
      state: 'FAILED',
      attempts: 11,
      failure: { type: 'InstanceLost', message: expect.stringContaining('5 times in a row') },
    });
  });

  it.each([
    [false, 'ACTIVE', null],
    [true, 'SHOULD_TERMINATE', 'FAILED'],
  ])('that fails (server still busy: %s) leaves its instance %s', async (instanceBusy, state, reason) => {
    const request = await submit(2);
    const instanceId = await warm(request.modelId);
    const claim = await begin(request);
    await worker.activities.claimSlice(request, 1);
    await takeShard(worker.database, { ...request, leaseToken: claim.leaseToken }, []);
    const failure = { type: 'ModelError', message: 'HTML' } as const;
    expect(await settle(claim, { type: 'failed', failure, instanceBusy })).toEqual({ type: 'ended' });
    expect(await settle(claim, { type: 'failed', failure, instanceBusy })).toEqual({ type: 'ended' });
    expect(await readRequest(request)).toMatchObject({ state: 'FAILED', failure });
    expect(await readLeases(request)).toMatchObject([{ state: 'RELEASED' }, { state: 'RELEASED' }]);
    expect(await readInstance(instanceId)).toMatchObject({ state, termination_reason: reason });
    expect(await readStatistics(request)).toHaveLength(1);
  });

  it('that fails with words no database can hold keeps the rest of them', async () => {
    const request = await submit();
    const message = `The model answered with HTTP 500: \u0000\ud83d binary`;
    const failure = { type: 'ModelError', message } as const;
    const claim = await begin(request);
    expect(await settle(claim, { type: 'failed', failure, instanceBusy: false })).toEqual({ type: 'ended' });
    expect(await readRequest(request)).toMatchObject({
      failure: { message: 'The model answered with HTTP 500: \ufffd\ufffd binary' },
    });
  });

  it('says what could not be told while Temporal is away, and loses nothing', async () => {
    worker.workflows.away = new Error('no connection');
    const request = await submit();
    const claim = await begin(request);
    await until(() =>
      worker.warnings.includes(`the start of instance ${claim.instanceId} could not be told`),
    );
    expect(await readLeases(request)).toMatchObject([{ state: 'GRANTED' }]);
  });

  /** Claims a warm instance for a small request, after enough calls to know that the model is fast. */
  const beginSmall = async () => {
    const request = await submit();
    for (let call = 0; call < 3; call += 1)
      worker.deps.modelSpeeds.record(request.modelId, { rows: 1, ms: 1 });
    const instanceId = await warm(request.modelId);
    const claim = await begin(request);
    expect(claim).toMatchObject({ small: true, ready: true, instanceId });
    return { request, claim };
  };

  it('that is small is computed, completed and handed over by one effect; again is the same', async () => {
    const { request, claim } = await beginSmall();
    expect(await worker.activities.runSmall(claim.leaseToken)).toEqual({ type: 'completed' });
    expect(await worker.activities.runSmall(claim.leaseToken)).toEqual({ type: 'completed' });
    expect(await readRequest(request)).toMatchObject({ state: 'COMPLETED', shards_done: 1, attempts: 1 });
    expect(await readStatistics(request)).toHaveLength(1);
    expect(await readEvents(request)).toEqual(['completed']);
    expect(await readInstance(claim.instanceId)).toMatchObject({
      state: 'ACTIVE',
      idle_since: expect.any(String),
      first_call_at: expect.any(String),
    });
  });

  it('that is small after all takes too long: it is given up after two seconds and goes on elsewhere', async () => {
    const slow = worker.deps.modelServer;
    const { request, claim } = await beginSmall();
    worker.host.change(claim.instanceId, { ready: false });
    const startedAt = performance.now();
    const outcome = await worker.activities.runSmall(claim.leaseToken);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(outcome).toMatchObject({ type: 'lost', crashed: false });
    expect(slow).toBe(worker.deps.modelServer);
    const next = await worker.activities.settleLease(claim.leaseToken, outcome as LeaseOutcome);
    expect(next).toMatchObject({ type: 'granted' });
    expect(await readInstance(claim.instanceId)).toMatchObject({ state: 'SHOULD_TERMINATE' });
    expect(await readRequest(request)).toMatchObject({ state: 'SCHEDULING' });
  });

  it('that is small is stopped at once by a cancel', async () => {
    server.conduct = () => undefined;
    const { request, claim } = await beginSmall();
    const outcome = worker.activities.runSmall(claim.leaseToken);
    await until(() => server.calls.length > 0);
    await moveWorkRequest(worker.database, request.requestId, 'cancel');
    // Whoever waited for as long as an answer may take would say something else.
    expect(await outcome).toEqual({ type: 'ended' });
    expect(await worker.activities.settleLease(claim.leaseToken, { type: 'ended' })).toEqual({
      type: 'ended',
    });
    await worker.activities.releaseRun(request);
    expect(await readInstance(claim.instanceId)).toMatchObject({ state: 'SHOULD_TERMINATE' });
  });

  it('that is small and whose instance dies says how', async () => {
    server.conduct = answerAfter(1_400);
    const { claim } = await beginSmall();
    const outcome = worker.activities.runSmall(claim.leaseToken);
    await until(() => server.calls.length > 0);
    worker.host.die(claim.instanceId, 'OOMKilled', 137);
    expect(await outcome).toMatchObject({ type: 'out-of-memory', memoryLimitBytes: 512 * MEBIBYTE });
  });

  it('that is small goes on to its end when an earlier try stored the result', async () => {
    const { request, claim } = await beginSmall();
    await store(request, claim.leaseToken);
    const outcome = await worker.activities.runSmall(claim.leaseToken);
    expect(outcome).toEqual({ type: 'finished' });
    expect(await worker.activities.settleLease(claim.leaseToken, outcome as LeaseOutcome)).toEqual({
      type: 'ended',
    });
    expect(await readRequest(request)).toMatchObject({ state: 'COMPLETED' });
  });
});
