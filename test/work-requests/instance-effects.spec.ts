import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { createActivities } from '../../activities/index.js';
import { watchInstances } from '../../activities/instances/instance-watch.js';
import { keepEvidence } from '../../activities/instances/keep-evidence.js';
import { decompressText } from '../../db/compressed-text.js';
import { markToEnd } from '../../db/queries/leases.js';
import { HostUnavailableError } from '../../hosts/model-host.js';
import { makeInstance, type InstanceParts } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { makeModel } from '../factories/make-model.js';
import { makeRequest } from '../factories/make-request.js';
import { PlayedHost } from '../support/played-host.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

describeWith('postgres')('the effects of an instance’s life', () => {
  let worker: PlayedWorker;
  beforeAll(async () => {
    worker = (await openPlayedWorker()).with({ maxInstances: 1_000 });
  });
  afterAll(() => worker.close());
  afterEach(() => {
    worker.host.refusal = null;
    worker.host.full = null;
    worker.host.created.length = 0;
    worker.host.deleted.length = 0;
    worker.workflows.words.length = 0;
  });

  const make = async (over: Partial<InstanceParts> & { modelId?: string } = {}) =>
    makeInstance(worker.database, {
      modelId: (await makeModel(worker.database)).id,
      state: 'REQUESTED',
      idleSeconds: null,
      ...over,
    });
  const read = async (id: string) =>
    (
      await worker.database.rows<Record<string, unknown>>(`select * from model_instance where id = $1`, [id])
    )[0]!;
  const readEvents = async (id: string) =>
    (
      await worker.database.rows<{ type: string }>(
        `select type from instance_event where instance_id = $1 order by event_no`,
        [id],
      )
    ).map(({ type }) => type);

  /** So many seconds are left, or a few less on a machine that is busy. */
  const expectLeft = (left: number, seconds: number) => {
    expect(left).toBeLessThanOrEqual(seconds);
    expect(left).toBeGreaterThan(seconds - 5);
  };

  /** What was lost of its evidence, with the reasons. */
  const readLost = async (id: string) => {
    const [event] = await worker.database.rows<{ lost: { what: string; because: string }[] }>(
      `select details -> 'lost' as lost from instance_event where instance_id = $1 and type = 'INSTANCE_EVIDENCE_LOST'`,
      [id],
    );
    return Object.fromEntries(event!.lost.map(({ what, because }) => [what, because]));
  };

  it('create it once, however often they are repeated, for the request that asked', async () => {
    const model = await makeModel(worker.database);
    const request = await makeRequest(worker.database, { modelId: model.id, state: 'SCHEDULING' });
    const id = await make({ modelId: model.id });
    await makeLease(worker.database, request, id);
    await worker.activities.createInstance(id);
    await worker.activities.createInstance(id);
    expect(worker.host.created).toMatchObject([
      {
        instanceId: id,
        modelId: model.id,
        memoryLimitBytes: 512 * MEBIBYTE,
        annotations: { 'ersilia.requestid': String(request.requestId) },
      },
    ]);
    const { uid } = worker.host.instances.get(id)!;
    expect(await read(id)).toMatchObject({ state: 'INITIALIZING', uid });
    expect(await readEvents(id)).toEqual(['INSTANCE_POD_CREATED']);
  });

  it('take the instance over that an earlier try created', async () => {
    const id = await make();
    const { uid } = worker.host.place(id);
    await worker.activities.createInstance(id);
    expect(await read(id)).toMatchObject({ state: 'INITIALIZING', uid });
  });

  it('do not create what is to end already', async () => {
    const id = await make({ state: 'SHOULD_TERMINATE' });
    await worker.activities.createInstance(id);
    await worker.activities.createInstance('unknown');
    expect(worker.host.created).toEqual([]);
  });

  it('mark what the host refuses to end, with the host’s sentence', async () => {
    worker.host.refusal = 'There is no command for this model.';
    const id = await make();
    await worker.activities.createInstance(id);
    expect(await read(id)).toMatchObject({
      state: 'SHOULD_TERMINATE',
      uid: null,
      termination_reason: 'FAILED',
      termination_message: 'There is no command for this model.',
    });
    await worker.activities.keepEvidence(id);
    await worker.activities.deleteInstance(id);
    await worker.activities.finishInstance(id);
    expect(worker.host.deleted).toEqual([]);
    expect(await read(id)).toMatchObject({ state: 'TERMINATED', terminated_at: expect.any(String) });
  });

  it('wait while the host has no room, say so, and create it when there is', async () => {
    worker.host.full = 'exceeded quota: pods=5';
    const id = await make({ ageSeconds: 20 });
    await expect(worker.activities.createInstance(id)).rejects.toThrow('exceeded quota: pods=5');
    expect(await read(id)).toMatchObject({
      state: 'REQUESTED',
      waiting_reason: 'QuotaExceeded',
      waiting_message: 'exceeded quota: pods=5',
    });
    worker.host.full = null;
    await worker.activities.createInstance(id);
    expect(await read(id)).toMatchObject({ state: 'INITIALIZING', uid: expect.any(String) });
  });

  it('give up what found no room for as long as it may be pending', async () => {
    worker.host.full = 'exceeded quota: pods=5';
    const id = await make({ ageSeconds: 3600 });
    await worker.activities.createInstance(id);
    expect(await read(id)).toMatchObject({
      state: 'SHOULD_TERMINATE',
      termination_reason: 'NEVER_READY',
      termination_message: expect.stringMatching(/no node could take it .*exceeded quota: pods=5/),
    });
  });

  it.each([
    ['answers 401', new HostUnavailableError('the cluster answered POST /pods with 401: Unauthorized')],
    ['answers 500', new HostUnavailableError('failed calling webhook "images.example.com"')],
    ['can not be reached', new HostUnavailableError('the cluster could not take POST /pods')],
    ['answers what nobody understands', new TypeError('a pod without a uid')],
  ])('say so while its host %s, and give it up when it may be pending no longer', async (_, error) => {
    const creation = jest.spyOn(worker.host, 'createInstance').mockRejectedValue(error);
    const id = await make({ ageSeconds: 20 });
    for (const _try of [1, 2])
      await expect(worker.activities.createInstance(id)).rejects.toThrow(error.message);
    expect(await read(id)).toMatchObject({
      state: 'REQUESTED',
      waiting_reason: 'HostUnavailable',
      waiting_message: error.message,
    });
    expect(await readEvents(id)).toEqual(['INSTANCE_CHANGED']);
    await worker.database.rows(
      `update model_instance set created_at = created_at - interval '31 seconds' where id = $1`,
      [id],
    );
    await worker.activities.createInstance(id);
    creation.mockRestore();
    expect(await read(id)).toMatchObject({
      state: 'SHOULD_TERMINATE',
      termination_reason: 'NEVER_READY',
      termination_message: `its host did not take it within 50 s: ${error.message}`,
    });
    await worker.activities.keepEvidence(id);
    await worker.activities.deleteInstance(id);
    await worker.activities.finishInstance(id);
    expect(await read(id)).toMatchObject({ state: 'TERMINATED' });
  });

  it('forget what it waited for once its host has taken it', async () => {
    const creation = jest.spyOn(worker.host, 'createInstance');
    creation.mockRejectedValueOnce(new HostUnavailableError('the cluster restarts'));
    const id = await make();
    await expect(worker.activities.createInstance(id)).rejects.toThrow('the cluster restarts');
    await worker.activities.createInstance(id);
    creation.mockRestore();
    expect(await read(id)).toMatchObject({
      state: 'INITIALIZING',
      waiting_reason: null,
      waiting_message: null,
      waiting_since: null,
    });
  });

  it('read its state and how long it may still take', async () => {
    const id = await make({ ageSeconds: 20 });
    const facts = await worker.activities.readInstance(id);
    expect(facts.state).toBe('REQUESTED');
    expectLeft(facts.readySecondsLeft, 30);
    expect(await worker.activities.readInstance('unknown')).toEqual({
      state: 'TERMINATED',
      readySecondsLeft: 0,
    });
  });

  it('give up what never became ready, with what it last waited for', async () => {
    const id = await make({ state: 'INITIALIZING', ageSeconds: 51 });
    await worker.database.rows(
      `update model_instance set waiting_reason = 'Unschedulable', waiting_message = 'no node has 64 GiB' where id = $1`,
      [id],
    );
    await worker.activities.giveUpStarting(id);
    expect(await read(id)).toMatchObject({
      state: 'SHOULD_TERMINATE',
      termination_reason: 'NEVER_READY',
      termination_message: 'no node could take it within 50 s: no node has 64 GiB',
    });
  });

  it('do not give up what was placed in the last moment: it has its whole time to get ready', async () => {
    const id = await make({ state: 'INITIALIZING', ageSeconds: 51 });
    await worker.database.rows(`update model_instance set placed_at = clock_timestamp() where id = $1`, [id]);
    await worker.activities.giveUpStarting(id);
    expect(await read(id)).toMatchObject({ state: 'INITIALIZING' });
    expectLeft((await worker.activities.readInstance(id)).readySecondsLeft, 60);
  });

  it('retire it when nobody needed it for its idle time, and look again until then', async () => {
    const idle = (idleSeconds: number | null) => make({ state: 'ACTIVE', warmSeconds: 60, idleSeconds });
    const over = await idle(61);
    expect(await worker.activities.retireIdle(over)).toEqual({ type: 'retired' });
    expect(await worker.activities.retireIdle(over)).toEqual({ type: 'retired' });
    expect(await read(over)).toMatchObject({ state: 'SHOULD_TERMINATE', termination_reason: 'COMPLETED' });
    const verdict = await worker.activities.retireIdle(await idle(20));
    expect(verdict).toMatchObject({ type: 'look again', inSeconds: expect.any(Number) });
    expectLeft((verdict as { inSeconds: number }).inSeconds, 40);
    const request = await makeRequest(worker.database, {
      modelId: (await makeModel(worker.database)).id,
      state: 'SCHEDULING',
    });
    const used = await idle(61);
    await makeLease(worker.database, request, used);
    expect(await worker.activities.retireIdle(used)).toEqual({ type: 'look again', inSeconds: 60 });
  });

  it('look seldom at one that works, even when it may not idle for a second', async () => {
    const { id: modelId } = await makeModel(worker.database, { warmSeconds: 0 });
    const request = await makeRequest(worker.database, { modelId, state: 'SCHEDULING' });
    const id = await make({ modelId, state: 'ACTIVE', warmSeconds: 0 });
    await makeLease(worker.database, request, id);
    expect(await worker.activities.retireIdle(id)).toEqual({ type: 'look again', inSeconds: 30 });
    await worker.activities.abandonWorkRequest(request);
    expect(worker.workflows.words).toEqual([`signal instance ${id}`]);
    expect(await worker.activities.retireIdle(id)).toEqual({ type: 'retired' });
  });

  const makeUnready = (over: Partial<InstanceParts>, unreadySeconds: number) =>
    make({ state: 'ACTIVE', unreadySeconds, ...over });

  it('give up what was ready and answers no health check, but not before its time', async () => {
    const early = await makeUnready({ idleSeconds: 50 }, 30);
    const verdict = await worker.activities.retireIdle(early);
    expectLeft((verdict as { inSeconds: number }).inSeconds, 10);
    const late = await makeUnready({ idleSeconds: 50 }, 41);
    expect(await worker.activities.retireIdle(late)).toEqual({ type: 'retired' });
    expect(await read(late)).toMatchObject({
      state: 'SHOULD_TERMINATE',
      termination_reason: 'FAILED',
      termination_message: 'its server was ready and then answered no health check for 40 s',
    });
  });

  it('give one that was given back just now the whole time to answer again', async () => {
    const id = await makeUnready({ idleSeconds: 5 }, 900);
    const verdict = await worker.activities.retireIdle(id);
    expectLeft((verdict as { inSeconds: number }).inSeconds, 35);
  });

  it('spare one that answers no health check while it computes, not while it only has a lease', async () => {
    const { id: modelId } = await makeModel(worker.database);
    const lend = async () => {
      const request = await makeRequest(worker.database, { modelId, state: 'SCHEDULING' });
      const id = await makeUnready({ modelId }, 900);
      return { id, ...(await makeLease(worker.database, request, id)) };
    };
    const [computing, waiting] = [await lend(), await lend()];
    await worker.database.rows(
      `update instance_lease set begun_at = clock_timestamp() where lease_token = $1`,
      [computing.leaseToken],
    );
    expect(await worker.activities.retireIdle(computing.id)).toEqual({ type: 'look again', inSeconds: 40 });
    expect(await worker.activities.retireIdle(waiting.id)).toEqual({ type: 'retired' });
  });

  it('retire it or lend it in the same moment, never both: 100 races', async () => {
    const races = { lent: 0, retired: 0 };
    for (let race = 0; race < 100; race += 1) {
      const model = await makeModel(worker.database);
      const id = await make({ modelId: model.id, state: 'ACTIVE', idleSeconds: 100 });
      const request = await makeRequest(worker.database, { modelId: model.id });
      const retire = () => worker.activities.retireIdle(id);
      const begin = () => worker.activities.beginWorkRequest(request);
      const [first, second] = race % 2 === 0 ? [retire, begin] : [begin, retire];
      await Promise.all([first(), second()]);
      const [lease] = await worker.database.rows<{ instance_id: string }>(
        `select instance_id from instance_lease where request_id = $1 and state = 'GRANTED'`,
        [request.requestId],
      );
      const { state } = await read(id);
      const isLent = lease!.instance_id === id;
      expect(state).toBe(isLent ? 'ACTIVE' : 'SHOULD_TERMINATE');
      races[isLent ? 'lent' : 'retired'] += 1;
    }
    expect(races.lent).toBeGreaterThan(0);
    expect(races.retired).toBeGreaterThan(0);
  });

  it('keep the end of its log and its peak use, also when repeated', async () => {
    const id = await make({ state: 'SHOULD_TERMINATE' });
    worker.host.logs.set(id, `${'first line\n'.repeat(200)}the last words\n`);
    worker.host.usage = {
      ...worker.host.usage,
      instances: [
        {
          instanceId: id,
          uid: 'uid',
          cpuMillicores: 1,
          memoryBytes: 1,
          peakMemoryBytes: 77,
          cpuSecondsTotal: null,
          sampledAt: new Date().toISOString(),
        },
      ],
    };
    await worker.activities.keepEvidence(id);
    await worker.activities.keepEvidence(id);
    const logs = await worker.database.rows<{ log: Buffer }>(
      `select log from instance_log where instance_id = $1`,
      [id],
    );
    expect(logs).toHaveLength(1);
    const text = await decompressText(logs[0]!.log);
    expect(text.length).toBeLessThanOrEqual(1_000);
    expect(text).toMatch(/^first line\n/);
    expect(text).toMatch(/the last words\n$/);
    expect(await read(id)).toMatchObject({ peak_memory_bytes: 77 });
  });

  it('keep at most so many bytes of a log, not letters', async () => {
    const id = await make({ state: 'SHOULD_TERMINATE' });
    worker.host.logs.set(id, 'é€\n'.repeat(2_000));
    await worker.activities.keepEvidence(id);
    const [kept] = await worker.database.rows<{ log: Buffer }>(
      `select log from instance_log where instance_id = $1`,
      [id],
    );
    const text = await decompressText(kept!.log);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_000);
    expect(text.replaceAll('é€\n', '')).toBe('');
  });

  it('keep a log that holds what no text column may', async () => {
    const id = await make({ state: 'SHOULD_TERMINATE' });
    worker.host.logs.set(id, 'a\u0000b\n');
    await worker.activities.keepEvidence(id);
    const [kept] = await worker.database.rows<{ log: Buffer }>(
      `select log from instance_log where instance_id = $1`,
      [id],
    );
    expect(await decompressText(kept!.log)).toBe('a\u0000b\n');
  });

  it('let it end when its host tells nothing of it any more, and say in its history what could not be kept', async () => {
    const [id, hanging] = [
      await make({ state: 'SHOULD_TERMINATE' }),
      await make({ state: 'SHOULD_TERMINATE' }),
    ];
    const logs = jest.spyOn(worker.host, 'readLogs').mockImplementation((asked) => {
      return asked === id ? Promise.reject(new Error('the node answered 500')) : new Promise(() => undefined);
    });
    const events = jest.spyOn(worker.host, 'listEvents').mockRejectedValue(new Error('too many requests'));
    const usage = jest.spyOn(worker.host, 'readUsage').mockRejectedValue(new Error('nobody measures'));
    await Promise.all([id, hanging].map((each) => keepEvidence(worker.deps, each, 1_500)));
    expect(logs.mock.calls.filter(([asked]) => asked === id)).toHaveLength(3);
    for (const spy of [logs, events, usage]) spy.mockRestore();
    expect(await readLost(id)).toEqual({
      log: 'the node answered 500',
      'events of its host': 'too many requests',
      'last use': 'nobody measures',
    });
    expect(await readLost(hanging)).toMatchObject({ log: 'its host gave no answer in time' });
    expect(worker.warnings).toContain('an instance ended of which not everything could be kept');
    await worker.activities.deleteInstance(id);
    await worker.activities.finishInstance(id);
    expect(await read(id)).toMatchObject({ state: 'TERMINATED' });
  });

  it('keep what its host gives at the second try, and what it gives beside what it does not', async () => {
    const id = await make({ state: 'SHOULD_TERMINATE' });
    worker.host.logs.set(id, 'the last words\n');
    const logs = jest.spyOn(worker.host, 'readLogs').mockRejectedValueOnce(new Error('away for a moment'));
    const usage = jest.spyOn(worker.host, 'readUsage').mockRejectedValue(new Error('nobody measures'));
    await worker.activities.keepEvidence(id);
    for (const spy of [logs, usage]) spy.mockRestore();
    expect(await readLost(id)).toEqual({ 'last use': 'nobody measures' });
    const kept = await worker.database.rows(`select from instance_log where instance_id = $1`, [id]);
    expect(kept).toHaveLength(1);
  });

  it('delete it by uid alone', async () => {
    const id = await make();
    await worker.activities.createInstance(id);
    const { uid } = worker.host.instances.get(id)!;
    await worker.database.transaction((sql) => markToEnd(sql, id, 'STOPPED', 'asked'));
    await worker.activities.deleteInstance(id);
    await worker.activities.deleteInstance(id);
    expect(worker.host.deleted[0]).toEqual({ instanceId: id, uid });
    expect(worker.host.instances.has(id)).toBe(false);
    expect(await read(id)).toMatchObject({ state: 'TERMINATING', termination_reason: 'STOPPED' });
  });

  it('delete it also when whoever created it died before its row said so', async () => {
    const id = await make();
    const { uid } = worker.host.place(id);
    await worker.database.transaction((sql) => markToEnd(sql, id, 'STOPPED', 'asked'));
    await worker.activities.deleteInstance(id);
    expect(worker.host.deleted).toContainEqual({ instanceId: id, uid });
  });

  it('wait until the host has let go of it, and free its place all the same when that takes too long', async () => {
    const id = await make();
    await worker.activities.createInstance(id);
    const { uid } = worker.host.instances.get(id)!;
    await worker.database.transaction((sql) => markToEnd(sql, id, 'STOPPED', 'asked'));
    const deletion = jest.spyOn(worker.host, 'deleteInstance');
    deletion.mockImplementation(async () => {
      setTimeout(() => worker.host.vanish(id), 300);
      return { deleted: true };
    });
    const startedAt = performance.now();
    await worker.activities.deleteInstance(id);
    expect(performance.now() - startedAt).toBeGreaterThan(250);

    const stuck = worker.host.place(id, 'model', { uid });
    deletion.mockImplementation(async () => ({ deleted: true }));
    await worker.database.rows(
      `update model_instance set terminating_at = clock_timestamp() - interval '91 seconds' where id = $1`,
      [id],
    );
    await worker.activities.deleteInstance(id);
    expect(await readEvents(id)).toContain('INSTANCE_STUCK_TERMINATING');
    deletion.mockRestore();
    await worker.host.deleteInstance(id, stuck.uid);
  }, 20_000);

  it('ask again while the host has not let go of it, and while their watch can not tell, until the host can', async () => {
    const id = await make();
    await worker.activities.createInstance(id);
    await worker.database.transaction((sql) => markToEnd(sql, id, 'STOPPED', 'asked'));
    const host = new PlayedHost();
    host.healthy = false;
    const blind = createActivities({ ...worker.deps, host, instances: watchInstances(host) });
    const deletions = [worker.host, host].map((each) => jest.spyOn(each, 'deleteInstance'));
    for (const deletion of deletions) deletion.mockResolvedValue({ deleted: true });
    const tries = [worker.activities, blind].map((activities) => activities.deleteInstance(id));
    for (const each of await Promise.allSettled(tries))
      expect(each).toMatchObject({
        reason: { message: expect.stringMatching(/still terminating at its host/) },
      });
    expect(await read(id)).toMatchObject({ state: 'TERMINATING' });
    for (const deletion of deletions) deletion.mockRestore();
    await blind.deleteInstance(id);
  }, 20_000);

  it('free its place for the next claim when it is over, once', async () => {
    const model = await makeModel(worker.database, { maxInstances: 1 });
    const id = await make({ modelId: model.id, state: 'TERMINATING' });
    const request = await makeRequest(worker.database, { modelId: model.id });
    expect((await worker.activities.beginWorkRequest(request)).claim.type).toBe('waiting');
    await worker.activities.finishInstance(id);
    await worker.activities.finishInstance(id);
    expect(await readEvents(id)).toEqual(['INSTANCE_TERMINATED']);
    expect(worker.workflows.words.filter((word) => word.startsWith('start instance'))).toHaveLength(1);
    expect(worker.workflows.words).toContain(`signal request ${request.requestId}`);
  });
});
