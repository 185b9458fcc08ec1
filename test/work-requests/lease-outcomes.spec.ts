import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../activities/index.js';
import { markToEnd } from '../../db/queries/leases.js';
import type { TerminationReason } from '../../domain/instance/instance.js';
import type { LeaseOutcome } from '../../domain/work-request/settle-attempt.js';
import { makeInstance, type InstanceParts } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { makeRequest } from '../factories/make-request.js';
import { answerAfter, answerHonestly, startInlineModel, type InlineModel } from '../support/inline-model.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

describeWith('postgres')('work under a lease that can not be finished', () => {
  let worker: PlayedWorker;
  let server: InlineModel;
  let model: MadeModel;

  beforeAll(async () => {
    worker = await openPlayedWorker();
    server = await startInlineModel();
    model = await makeModel(worker.database);
    await worker.deps.chemistry.warmUp();
  });
  afterAll(async () => {
    await server.close();
    await worker.close();
  });
  afterEach(() => {
    server.conduct = answerHonestly;
    server.calls.length = 0;
  });

  interface Started {
    readonly instanceId: string;
    readonly outcome: Promise<LeaseOutcome>;
  }
  /** Starts the work of a new one-shard request on an instance that answers, or on one that starts. */
  const start = async (
    over: Partial<InstanceParts> & { ready?: boolean; modelId?: string } = {},
  ): Promise<Started> => {
    const { ready = true, modelId = model.id, ...parts } = over;
    const request = await makeRequest(worker.database, {
      modelId,
      state: 'SCHEDULING',
      shards: [['CCO', 'CCN']],
    });
    const instanceId = await makeInstance(worker.database, {
      modelId,
      state: ready ? 'ACTIVE' : 'INITIALIZING',
      ...parts,
    });
    if (ready) {
      worker.host.place(instanceId, modelId);
      worker.host.makeReady(instanceId, server.address);
    }
    const { leaseToken } = await makeLease(worker.database, request, instanceId);
    const outcome = new MockActivityEnvironment().run(() =>
      worker.activities.runLease(leaseToken),
    ) as Promise<LeaseOutcome>;
    return { instanceId, outcome };
  };
  const untilCalled = async (times = 1) => {
    while (server.calls.length < times) await sleep(5);
  };
  const mark = (instanceId: string, reason: TerminationReason, message: string) =>
    worker.database.transaction((sql) => markToEnd(sql, instanceId, reason, message));

  it('is tried again when what the short path computed can not be stored, however long that took', async () => {
    const request = await makeRequest(worker.database, { modelId: model.id, state: 'SCHEDULING' });
    const instanceId = await makeInstance(worker.database, { modelId: model.id });
    worker.host.place(instanceId, model.id);
    worker.host.makeReady(instanceId, server.address);
    const { leaseToken } = await makeLease(worker.database, request, instanceId);
    const cap = new AbortController();
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(cap.signal);
    const transaction = async () => {
      cap.abort();
      throw new Error('the database is away');
    };
    const late = createActivities({ ...worker.deps, database: { ...worker.database, transaction } });
    await expect(late.runSmall(leaseToken)).rejects.toThrow('the database is away');
    timeout.mockRestore();
  });

  it('is out of memory when the host says so, with the limit that was too small', async () => {
    server.conduct = answerAfter(1_400);
    const { instanceId, outcome } = await start({ memoryLimitBytes: 256 * MEBIBYTE });
    await untilCalled();
    worker.host.die(instanceId, 'OOMKilled', 137);
    // Not that it was finished, as it would be when the model had answered.
    expect(await outcome).toMatchObject({ type: 'out-of-memory', memoryLimitBytes: 256 * MEBIBYTE });
  });

  it('is a crash when a server without limit is killed for memory: there is nothing to double', async () => {
    server.conduct = answerAfter(1_400);
    const { instanceId, outcome } = await start({ memoryLimitBytes: null });
    await untilCalled();
    worker.host.die(instanceId, 'OOMKilled', 137);
    expect(await outcome).toMatchObject({ type: 'lost', crashed: true });
  });

  it.each([
    ['Error', 3, true, 'exit code 3'],
    ['Completed', 0, true, 'exit code 0'],
    ['HostLost', null, false, 'the host it ran on ended'],
    ['Evicted', null, false, 'its node gave it up'],
  ])('is lost when its server ends with %s (%s); crashed: %s', async (reason, exitCode, crashed, words) => {
    server.conduct = answerAfter(1_400);
    const { instanceId, outcome } = await start();
    await untilCalled();
    worker.host.die(instanceId, reason, exitCode);
    const said = expect.stringContaining(words);
    expect(await outcome).toMatchObject({ type: 'lost', crashed, message: said, end: { message: said } });
  });

  it('is lost when the instance is gone from its host without a word', async () => {
    server.conduct = answerAfter(1_400);
    const { instanceId, outcome } = await start();
    await untilCalled();
    worker.host.vanish(instanceId);
    expect(await outcome).toMatchObject({ type: 'lost', crashed: false });
  });

  it('is lost for the reason that its host gave last, also when it is gone by the time one looks', async () => {
    server.conduct = answerAfter(1_400);
    const { instanceId, outcome } = await start();
    await untilCalled();
    worker.host.die(instanceId, 'Preempted', null);
    worker.host.vanish(instanceId);
    const said = expect.stringContaining('a pod of a higher priority');
    expect(await outcome).toMatchObject({ type: 'lost', crashed: false, message: said });
  });

  it('is a crash, tried again, when only the row still knows that the server crashed', async () => {
    const { instanceId, outcome } = await start({ ready: false, uid: 'uid' });
    await mark(instanceId, 'FAILED', 'its server ended (Error, exit code 1)');
    expect(await outcome).toEqual({
      type: 'lost',
      crashed: true,
      message: 'The instance failed: its server ended (Error, exit code 1).',
    });
  });

  it.each([
    ['OOMKILLED', { type: 'out-of-memory' }],
    ['LOST', { type: 'lost', crashed: false }],
    ['STOPPED', { type: 'lost', crashed: false }],
    ['NEVER_READY', { type: 'failed', failure: { type: 'Infrastructure' } }],
  ] as const)('is told by the row alone when it says %s', async (reason, expected) => {
    const { instanceId, outcome } = await start({ ready: false, uid: 'uid' });
    await mark(instanceId, reason, 'it was not ready within 60 s');
    expect(await outcome).toMatchObject(expected);
  });

  it('fails with the host’s sentence when no instance can ever start', async () => {
    const { instanceId, outcome } = await start({ ready: false });
    await mark(instanceId, 'FAILED', 'There is no command for this model; add it to HUB_LOCAL_MODELS.');
    expect(await outcome).toEqual({
      type: 'failed',
      instanceBusy: false,
      failure: {
        type: 'Infrastructure',
        message:
          'No instance of the model could be started: There is no command for this model; add it to HUB_LOCAL_MODELS. ' +
          'Ask the operators to look at the model, or choose another one.',
      },
    });
  });

  it('fails when a server that lives on cuts the connection three times', async () => {
    server.conduct = (_, response) => response.destroy();
    const { outcome } = await start();
    expect(await outcome).toMatchObject({
      type: 'failed',
      failure: { type: 'ModelError', message: expect.stringContaining('closed the connection') },
    });
    expect(server.calls).toHaveLength(3);
  }, 15_000);

  it('is lost when the host tells the death only after the connection was cut', async () => {
    server.conduct = (_, response) => response.destroy();
    const { instanceId, outcome } = await start();
    await untilCalled();
    await sleep(200);
    worker.host.die(instanceId, 'OOMKilled', 137);
    expect(await outcome).toMatchObject({ type: 'out-of-memory' });
    expect(server.calls).toHaveLength(1);
  });

  it.each<[string, (rows: readonly string[]) => [number, string, string], string]>([
    ['a record too few', () => [200, 'application/json', '[{"length":1}]'], '1 records for 2 molecules'],
    ['no list', () => [200, 'application/json', '{"length":1}'], 'a single record instead of a list'],
    ['HTML', () => [200, 'text/html', '<html><h1>It works!</h1></html>'], 'is no JSON (text/html): "<html>'],
    [
      'an error',
      () => [500, 'application/json', '{"detail":"out of ideas"}'],
      'HTTP 500: "{"detail":"out of ideas"}',
    ],
    ['a redirection', () => [307, 'text/plain', ''], 'HTTP 307'],
    [
      'more than 2 MiB',
      () => [200, 'application/json', `["${'x'.repeat(3 * MEBIBYTE)}"]`],
      'larger than 2 MiB',
    ],
  ])(
    'fails with a readable reason when the model answers %s; its instance is free again',
    async (_, answer, words) => {
      server.conduct = (rows, response) => {
        const [status, type, body] = answer(rows);
        response.writeHead(status, { 'content-type': type, location: '/elsewhere' }).end(body);
      };
      const { outcome } = await start();
      expect(await outcome).toEqual({
        type: 'failed',
        instanceBusy: false,
        failure: { type: 'ModelError', message: expect.stringContaining(words) },
      });
      expect(server.calls).toHaveLength(1);
    },
  );

  it.each([
    ['never answers', () => undefined],
    [
      'drips its answer',
      async (rows: readonly string[], response: { write(text: string): unknown; destroyed: boolean }) => {
        for (const letter of JSON.stringify(rows)) {
          if (response.destroyed) return;
          response.write(letter);
          await sleep(200);
        }
      },
    ],
  ])('fails in time when the model %s; its instance may still be at work', async (_, conduct) => {
    server.conduct = conduct as InlineModel['conduct'];
    const { outcome } = await start();
    expect(await outcome).toMatchObject({
      type: 'failed',
      instanceBusy: true,
      failure: { type: 'ModelError', message: expect.stringContaining('within 1.5 s') },
    });
  });
});
