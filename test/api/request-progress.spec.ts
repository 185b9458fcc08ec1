import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { insertClaim, releaseLease } from '../../db/queries/leases.js';
import type { WorkflowProgress } from '../../domain/work-request/work-request.wire.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel } from '../factories/make-model.js';
import { makeRequest, type MadeRequest } from '../factories/make-request.js';
import { startApi, type RunningApi } from '../support/running-api.js';

/** What is told to those who wait, from the rows; with workflows and a page it is shown by test/e2e/page.spec.ts. */
describe('a request that waits', () => {
  let api: RunningApi;
  let admin: string;
  let readings = 0;

  /** What was read of the line is old by then, without anybody waiting for it. */
  const letAMinutePass = () => {
    const ahead = performance.now() + 60_000;
    const begin = Date.now();
    jest.spyOn(performance, 'now').mockImplementation(() => ahead + Date.now() - begin);
  };

  beforeAll(async () => {
    api = await startApi({ MAX_CONCURRENT_MODEL_INSTANCES: 3 });
    admin = (await api.user({ admin: true })).token;
    const { database } = api.parts;
    const transaction = database.transaction.bind(database);
    database.transaction = (work, first) => {
      if (first?.includes('read only')) readings += 1;
      return transaction(work, first);
    };
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await api.stop();
  });
  beforeEach(async () => {
    for (const table of ['instance_lease', 'model_instance', 'work_request', 'user_usage'])
      await api.parts.database.rows(`delete from ${table}`);
    letAMinutePass();
    readings = 0;
  });

  const submit = async (modelId: string, userId = 'ada', pauseSeconds = 0) => {
    const request = await makeRequest(api.parts.database, { modelId, userId, state: 'SCHEDULING' });
    return { ...request, leaseToken: await insertClaim(api.parts.database, request, 0, pauseSeconds) };
  };
  /** A request at work on an instance of its own. */
  const work = async (modelId: string) => {
    const request = await makeRequest(api.parts.database, { modelId, state: 'PROCESSING' });
    const instanceId = await makeInstance(api.parts.database, { modelId });
    return { request, instanceId, ...(await makeLease(api.parts.database, request, instanceId)) };
  };
  const ask = async ({ requestId }: Pick<MadeRequest, 'requestId'>): Promise<WorkflowProgress> =>
    (await api.call('GET', `/api/work-requests/${requestId}/workflow`, { token: admin })).json;
  const oneOnly = () => makeModel(api.parts.database, { maxInstances: 1 });

  it('moves up within seconds when somebody before it ends, whatever its workflow knew', async () => {
    const { id } = await oneOnly();
    const { leaseToken } = await work(id);
    const [first, second] = [await submit(id), await submit(id)];
    const busy = 'All instances of this model are busy (1 of at most 1).';
    expect(await ask(first)).toMatchObject({ phase: 'waiting', waiting_because: busy, position: 1 });
    expect(await ask(second)).toMatchObject({ phase: 'waiting', waiting_because: busy, position: 2 });
    await releaseLease(api.parts.database, leaseToken, { outcome: 'finished' });
    await releaseLease(api.parts.database, first.leaseToken, { outcome: 'cancelled' });
    letAMinutePass();
    expect(await ask(second)).toMatchObject({ waiting_because: 'Its turn has come.', position: 1 });
  });

  it('is numbered among those who wait for the same: for its model, or for room in the hub', async () => {
    const [small, off, others] = [await oneOnly(), await oneOnly(), await makeModel(api.parts.database)];
    await api.parts.database.rows('update model set enabled = false where id = $1', [off.id]);
    await work(small.id);
    await work(others.id);
    await work(others.id);
    const waiting = [await submit(off.id, 'bert'), await submit(others.id), await submit(small.id)];
    const told = await Promise.all(waiting.map(ask));
    expect(told.map(({ position, waiting_because: because }) => [position, because])).toEqual([
      [1, 'The model is switched off; the request runs when it is on again.'],
      [1, 'The hub is full (3 of at most 3 instances); waiting for a place.'],
      [1, 'All instances of this model are busy (1 of at most 1).'],
    ]);
  });

  it('is told by one reading of the line, however many wait and look', async () => {
    const { id } = await oneOnly();
    await work(id);
    const users = Array.from({ length: 6 }, (_, index) => `user-${index}`);
    const waiting = [];
    for (let turn = 0; turn < 20; turn += 1) for (const user of users) waiting.push(await submit(id, user));
    const beganAt = Date.now();
    const told = await Promise.all(waiting.map(ask));
    expect(told.map(({ position }) => position)).toEqual(waiting.map((_, index) => index + 1));
    // What was read serves for a second at least.
    expect(readings).toBeLessThanOrEqual(1 + Math.floor((Date.now() - beganAt) / 1_000));
  });

  it('says how long it pauses after losses', async () => {
    const { id } = await oneOnly();
    const told = await ask(await submit(id, 'ada', 60));
    expect(told).toMatchObject({ phase: 'waiting', position: null });
    expect(told.waiting_because).toMatch(/were lost .* is asked for in (5\d|60) s\.$/);
  });

  it('says in the words of the host what keeps its instance from starting, and no more once it runs', async () => {
    const { id } = await oneOnly();
    const { request, instanceId } = await work(id);
    const { database } = api.parts;
    await database.rows(
      `update model_instance set state = 'INITIALIZING', waiting_reason = 'Unschedulable',
         waiting_message = '0/3 nodes are available: 3 Insufficient memory.' where id = $1`,
      [instanceId],
    );
    expect(await ask(request)).toMatchObject({
      phase: 'instance-starting',
      waiting_because: 'No node can take the instance yet: 0/3 nodes are available: 3 Insufficient memory.',
      position: null,
      instance_ids: [instanceId],
    });
    await database.rows(
      `update model_instance set waiting_reason = null, waiting_message = null where id = $1`,
      [instanceId],
    );
    expect(await ask(request)).toMatchObject({ phase: 'instance-starting', waiting_because: null });
    await database.rows(`update model_instance set state = 'ACTIVE' where id = $1`, [instanceId]);
    expect(await ask(request)).toMatchObject({ phase: 'running', waiting_because: null });
  });

  it('asks the database again after a reading of the line that failed', async () => {
    const { id } = await oneOnly();
    await work(id);
    const request = await submit(id);
    const { database } = api.parts;
    const transaction = database.transaction.bind(database);
    database.transaction = () => Promise.reject(new Error('connection terminated unexpectedly'));
    const { requestId } = request;
    const answer = await api.call('GET', `/api/work-requests/${requestId}/workflow`, { token: admin });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    database.transaction = transaction;
    expect(await ask(request)).toMatchObject({ position: 1 });
  });
});
