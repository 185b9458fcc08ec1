import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { takePartInLeading } from '../../activities/leader/lead.js';
import { NotLeadingError } from '../../activities/leader/leadership.js';
import { createReconciler, type ReconcilerDependencies } from '../../activities/leader/reconcile.js';
import { repeatGrants } from '../../activities/leader/repeat-grants.js';
import { lockClaims } from '../../db/queries/claims.js';
import { moveWorkRequest } from '../../db/queries/request-progress.js';
import { retentionSettings } from '../../db/retention.config.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { makeRequest, type MadeRequest } from '../factories/make-request.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

const quiet = {
  requestsStarted: 0,
  requestsRunAnew: 0,
  instancesStarted: 0,
  leasesReleased: 0,
  orphansEnded: 0,
};

describeWith('postgres')('the reconciler', () => {
  let worker: PlayedWorker;
  let model: MadeModel;
  let deps: ReconcilerDependencies;
  const leading = async () => undefined;

  beforeAll(async () => {
    worker = await openPlayedWorker();
    deps = worker.deps;
  });
  afterAll(() => worker.close());
  beforeEach(async () => {
    for (const table of ['leader', 'instance_lease', 'model_instance', 'work_request', 'model'])
      await worker.database.rows(`delete from ${table}`);
    model = await makeModel(worker.database);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    const { host, workflows } = worker;
    host.deleted.length = 0;
    for (const id of host.instances.keys()) host.vanish(id);
    workflows.words.length = 0;
    workflows.running.clear();
    workflows.existence.clear();
    workflows.away = null;
    host.healthy = true;
  });

  const reconcile = () => createReconciler(deps, leading)();
  const submit = (over: Partial<Parameters<typeof makeRequest>[1]> = {}) =>
    makeRequest(worker.database, { modelId: model.id, ageSeconds: 20, ...over });
  const run = (request: MadeRequest) => worker.workflows.requestWorkflowId(request);
  const make = (over: Partial<Parameters<typeof makeInstance>[1]> = {}) =>
    makeInstance(worker.database, { modelId: model.id, ageSeconds: 20, ...over });
  const readRunKey = async ({ requestId }: MadeRequest) =>
    (
      await worker.database.rows<{ run_key: string }>(`select run_key from work_request where id = $1`, [
        requestId,
      ])
    )[0]!.run_key;
  const readState = async (id: string) =>
    (
      await worker.database.rows<{ state: string }>(`select state from model_instance where id = $1`, [id])
    )[0]!.state;
  const readLease = async (leaseToken: string) =>
    (
      await worker.database.rows<Record<string, unknown>>(
        `select * from instance_lease where lease_token = $1`,
        [leaseToken],
      )
    )[0]!;

  it('has nothing to do on a quiet day', async () => {
    const request = await submit({ state: 'PROCESSING' });
    const id = await make();
    await makeLease(worker.database, request, id);
    worker.workflows.running.add(run(request)).add(worker.workflows.instanceWorkflowId(id));
    await submit({ ageSeconds: 0 });
    const done = await submit({ state: 'PROCESSING' });
    await moveWorkRequest(worker.database, done.requestId, 'complete');
    expect(await reconcile()).toEqual(quiet);
    expect(worker.workflows.words).toEqual([]);
  });

  it('starts the observer of usage where it does not run', async () => {
    const before = worker.workflows.observersStarted;
    await reconcile();
    expect(worker.workflows.observersStarted).toBe(before + 1);
    worker.workflows.running.add(worker.workflows.usageObserverWorkflowId);
    await reconcile();
    expect(worker.workflows.observersStarted).toBe(before + 1);
  });

  it('starts an open request that has no workflow, by its own key', async () => {
    const request = await submit();
    expect(await reconcile()).toEqual({ ...quiet, requestsStarted: 1 });
    expect(worker.workflows.words).toEqual([`start request ${request.requestId} ${request.runKey}`]);
  });

  it('believes Temporal itself more than its list', async () => {
    const request = await submit();
    worker.workflows.existence.set(run(request), 'running');
    expect(await reconcile()).toEqual(quiet);
  });

  it('runs a request anew whose workflow closed, and gives its instance to the new run at once', async () => {
    const request = await submit({ state: 'PROCESSING' });
    await worker.database.rows(`update model set max_instances = 1`);
    const id = await make();
    const { leaseToken } = await makeLease(worker.database, request, id);
    worker.workflows.running.add(worker.workflows.instanceWorkflowId(id));
    worker.workflows.existence.set(run(request), 'closed');
    expect(await reconcile()).toEqual({ ...quiet, requestsRunAnew: 1, leasesReleased: 1 });
    const runKey = await readRunKey(request);
    expect(runKey).not.toBe(request.runKey);
    expect(worker.workflows.words).toContain(`start request ${request.requestId} ${runKey}`);
    expect(await readLease(leaseToken)).toMatchObject({ state: 'RELEASED', outcome: 'reconciled' });
    const begun = await worker.activities.beginWorkRequest({ ...request, runKey });
    expect(begun.claim).toMatchObject({ type: 'granted', instanceId: id });
  });

  it('frees leases of requests that ended, of older runs and of deleted requests, and serves who waits', async () => {
    const [ended, older, deleted] = [
      await submit({ state: 'PROCESSING' }),
      await submit({ state: 'PROCESSING' }),
      await submit({ state: 'PROCESSING' }),
    ];
    const leases = [];
    for (const request of [ended, older, deleted])
      leases.push(await makeLease(worker.database, request, await make()));
    await moveWorkRequest(worker.database, ended.requestId, 'cancel');
    await worker.database.rows(
      `update work_request set processed_at = clock_timestamp() - interval '11 seconds' where id = $1`,
      [ended.requestId],
    );
    await worker.database.rows(`update work_request set run_key = 'anew' where id = $1`, [older.requestId]);
    await worker.database.rows(`delete from work_request where id = $1`, [deleted.requestId]);
    const fresh = await submit({ state: 'PROCESSING', ageSeconds: 0 });
    const freshLease = await makeLease(worker.database, fresh, await make());
    await moveWorkRequest(worker.database, fresh.requestId, 'cancel');
    expect(await reconcile()).toMatchObject({ leasesReleased: 3 });
    for (const { leaseToken } of leases)
      expect(await readLease(leaseToken)).toMatchObject({ state: 'RELEASED' });
    // A workflow that waited for one of them has nothing to wait for any more.
    const told = [ended, older, deleted].map(({ requestId }) => `signal request ${requestId}`);
    expect(worker.workflows.words).toEqual(expect.arrayContaining(told));
    expect(await readLease(freshLease.leaseToken)).toMatchObject({ state: 'GRANTED' });
  });

  it('starts the workflow of an instance that has none, and leaves a young and an ended one', async () => {
    const id = await make({ state: 'TERMINATING' });
    await make({ state: 'TERMINATED' });
    await make({ ageSeconds: 0 });
    expect(await reconcile()).toEqual({ ...quiet, instancesStarted: 1 });
    expect(worker.workflows.words).toEqual([`start instance ${id}`]);
  });

  it('grants what could be granted', async () => {
    const request = await submit({ state: 'SCHEDULING', ageSeconds: 0 });
    await worker.database.rows(
      `insert into instance_lease (lease_token, request_id, run_key, slice, user_id, model_id)
       values ('waits', $1, $2, 0, 'user', $3)`,
      [request.requestId, request.runKey, model.id],
    );
    await reconcile();
    expect(await readLease('waits')).toMatchObject({ state: 'GRANTED' });
    expect(worker.workflows.words).toContain(`signal request ${request.requestId}`);
  });

  it('ends an orphan, by uid, only when it is a minute old', async () => {
    const owned = await make({ uid: 'owned' });
    const reborn = await make({ uid: 'new' });
    worker.workflows.running
      .add(worker.workflows.instanceWorkflowId(owned))
      .add(worker.workflows.instanceWorkflowId(reborn));
    worker.host.place(owned, model.id, { uid: 'owned' });
    worker.host.place(reborn, model.id, { uid: 'old' });
    worker.host.place('unknown', model.id, { uid: 'orphan' });
    worker.host.place('reappears', model.id, { uid: 'later owned' });
    let now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    const pass = createReconciler(deps, leading);
    await pass();
    now += 59_000;
    expect(await pass()).toMatchObject({ orphansEnded: 0 });
    now += 2_000;
    worker.host.healthy = false;
    expect(await pass()).toMatchObject({ orphansEnded: 0 });
    worker.host.healthy = true;
    expect(await pass()).toMatchObject({ orphansEnded: 3 });
    expect(worker.host.deleted).toEqual([
      { instanceId: reborn, uid: 'old' },
      { instanceId: 'unknown', uid: 'orphan' },
      { instanceId: 'reappears', uid: 'later owned' },
    ]);
    expect(worker.host.instances.has(owned)).toBe(true);
  });

  it('ends an old orphan in the first pass of a new leader', async () => {
    const createdAt = new Date(Date.now() - 61_000).toISOString();
    worker.host.place('unknown', model.id, { uid: 'orphan', createdAt });
    expect(await reconcile()).toEqual({ ...quiet, orphansEnded: 1 });
  });

  it('frees leases and serves claims while Temporal is away, and says so', async () => {
    const request = await submit({ state: 'PROCESSING' });
    const { leaseToken } = await makeLease(worker.database, request, await make());
    await worker.database.rows(`update work_request set run_key = 'anew' where id = $1`, [request.requestId]);
    worker.workflows.away = new Error('Temporal is away');
    await expect(reconcile()).rejects.toThrow('Temporal is away');
    expect(await readLease(leaseToken)).toMatchObject({ state: 'RELEASED' });
  });

  it('ends orphans and grants what waits while Temporal is away', async () => {
    const request = await submit({ state: 'SCHEDULING', ageSeconds: 0 });
    await worker.database.rows(
      `insert into instance_lease (lease_token, request_id, run_key, slice, user_id, model_id)
       values ('patient', $1, $2, 0, 'user', $3)`,
      [request.requestId, request.runKey, model.id],
    );
    worker.host.place('unknown', model.id, { uid: 'orphan' });
    let now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    worker.workflows.away = new Error('Temporal is away');
    const pass = createReconciler(deps, leading);
    await expect(pass()).rejects.toThrow('Temporal is away');
    expect(await readLease('patient')).toMatchObject({ state: 'GRANTED' });
    now += 61_000;
    await expect(pass()).rejects.toThrow('Temporal is away');
    expect(worker.host.deleted).toEqual([{ instanceId: 'unknown', uid: 'orphan' }]);
  });

  it('goes on past an orphan that its host will not give up', async () => {
    worker.host.place('kept', model.id, { uid: 'kept' });
    worker.host.place('given up', model.id, { uid: 'given up' });
    const request = await submit();
    let now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    const end = worker.host.deleteInstance.bind(worker.host);
    jest.spyOn(worker.host, 'deleteInstance').mockImplementation((id, uid) => {
      return uid === 'kept' ? Promise.reject(new Error('pods "kept" is forbidden')) : end(id, uid);
    });
    const pass = createReconciler(deps, leading);
    await pass();
    now += 61_000;
    expect(await pass()).toMatchObject({ orphansEnded: 1, requestsStarted: 1 });
    expect(worker.workflows.words).toContain(`start request ${request.requestId} ${request.runKey}`);
    expect(worker.warnings.at(-2)).toMatch(/could not be ended; the next pass tries again/);
  });

  it('does nothing when it does not lead', async () => {
    await submit();
    const refuse = async () => {
      throw new NotLeadingError('not leading');
    };
    await expect(createReconciler(deps, refuse)()).rejects.toThrow(NotLeadingError);
    expect(worker.workflows.words).toEqual([]);
  });

  it('tells a grant again that nobody heard for five seconds', async () => {
    const [unheard, heard, young] = [await submit(), await submit(), await submit()];
    for (const [request, seconds, acknowledged] of [
      [unheard, 6, false],
      [heard, 6, true],
      [young, 0, false],
    ] as const) {
      const { leaseToken } = await makeLease(worker.database, request, await make());
      await worker.database.rows(
        `update instance_lease set granted_at = clock_timestamp() - $2 * interval '1 second',
           acknowledged_at = case when $3 then now() end where lease_token = $1`,
        [leaseToken, seconds, acknowledged],
      );
    }
    await repeatGrants(deps);
    expect(worker.workflows.words).toEqual([`signal request ${unheard.requestId}`]);
  });

  it('tells unheard grants as soon as it leads, before anything is started', async () => {
    const unheard = await submit();
    const { leaseToken } = await makeLease(worker.database, unheard, await make());
    await worker.database.rows(
      `update instance_lease set granted_at = clock_timestamp() - interval '6 seconds' where lease_token = $1`,
      [leaseToken],
    );
    const lead = takePartInLeading({ ...deps, retention: retentionSettings.parse({}) });
    const startOfPass = (word: string) => word.startsWith('start ');
    while (!worker.workflows.words.some(startOfPass)) await sleep(20);
    await lead.close();
    const { words } = worker.workflows;
    expect(words.indexOf(`signal request ${unheard.requestId}`)).toBeLessThan(words.findIndex(startOfPass));
    expect(words).toContain(`signal request ${unheard.requestId}`);
  });

  it('is run by the leader as soon as it leads, who writes what the host said before and says after', async () => {
    const id = await make({ state: 'INITIALIZING', uid: 'uid', idleSeconds: null });
    worker.host.place(id, model.id, { uid: 'uid' });
    worker.host.makeReady(id);
    const request = await submit();
    const lead = takePartInLeading({ ...deps, retention: retentionSettings.parse({}) });
    try {
      while ((await readState(id)) !== 'ACTIVE') await sleep(20);
      while (!worker.workflows.words.some((word) => word.startsWith(`start request ${request.requestId}`)))
        await sleep(20);
      worker.host.die(id, 'Error');
      while ((await readState(id)) !== 'SHOULD_TERMINATE') await sleep(20);
    } finally {
      await lead.close();
    }
    expect(lead.leading).toBe(false);
  });

  it('does not hold an old list against an instance that was placed while the list waited in line', async () => {
    const slow = await make({ state: 'INITIALIZING', uid: 'slow', idleSeconds: null });
    worker.host.place(slow, model.id, { uid: 'slow' });
    const lead = takePartInLeading({ ...deps, retention: retentionSettings.parse({}) });
    try {
      while (!lead.leading) await sleep(10);
      await sleep(200);
      let placed = '';
      await worker.database.transaction(async (sql) => {
        await lockClaims(sql);
        worker.host.makeReady(slow);
        await sleep(100);
        worker.host.list();
        placed = await make({ state: 'INITIALIZING', uid: 'placed', idleSeconds: null });
        worker.host.place(placed, model.id, { uid: 'placed' });
      });
      while ((await readState(slow)) !== 'ACTIVE') await sleep(20);
      await sleep(300);
      expect(await readState(placed)).toBe('INITIALIZING');
    } finally {
      await lead.close();
    }
  });
});
