import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { NotLeadingError } from '../../activities/leader/leadership.js';
import {
  type AssertLeading,
  WATCHED_SECONDS,
  writeObservation,
} from '../../activities/instances/write-observations.js';
import type { ObservedInstance } from '../../hosts/model-host.js';
import { makeInstance, type InstanceParts } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel } from '../factories/make-model.js';
import { makeRequest } from '../factories/make-request.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

describeWith('postgres')('what the host says of instances', () => {
  let worker: PlayedWorker;
  const leading: AssertLeading = async () => undefined;

  beforeAll(async () => {
    worker = (await openPlayedWorker()).with({ maxInstances: 1_000 });
  });
  afterAll(() => worker.close());
  afterEach(() => {
    worker.workflows.words.length = 0;
    worker.host.instances.clear();
    worker.host.silent = false;
  });

  const make = async (over: Partial<InstanceParts> = {}) =>
    makeInstance(worker.database, {
      modelId: over.modelId ?? (await makeModel(worker.database)).id,
      state: 'INITIALIZING',
      idleSeconds: null,
      uid: 'uid',
      ageSeconds: 10,
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
  const changed = (instance: ObservedInstance) =>
    writeObservation(worker.deps, leading, { type: 'changed', instance });
  const gone = (instance: ObservedInstance) =>
    writeObservation(worker.deps, leading, { type: 'gone', instance });
  const listed = () =>
    writeObservation(worker.deps, leading, {
      type: 'listed',
      instances: [...worker.host.instances.values()],
    });
  const place = (id: string, over: Partial<ObservedInstance> = {}) =>
    worker.host.place(id, 'model', { uid: 'uid', ...over });

  it('moves it from state to state, forward only, and tells its workflow', async () => {
    const id = await make();
    const pending = place(id, { waiting: { reason: 'Unschedulable', message: 'no node has room' } });
    await changed(pending);
    expect(await read(id)).toMatchObject({ state: 'INITIALIZING', waiting_message: 'no node has room' });
    expect(worker.workflows.words).toEqual([`signal instance ${id}`]);
    await changed(worker.host.change(id, { waiting: { reason: 'Unschedulable', message: 'still none' } }));
    expect(worker.workflows.words).toHaveLength(1);
    await changed(worker.host.change(id, { phase: 'Running', waiting: null }));
    expect(await read(id)).toMatchObject({ state: 'WAITING_FOR_READINESS', waiting_message: null });
    const ready = worker.host.makeReady(id, '127.0.0.1:7');
    await changed(ready);
    expect(await read(id)).toMatchObject({
      state: 'ACTIVE',
      address: '127.0.0.1:7',
      node: 'node-1',
      ready_at: expect.any(String),
    });
    expect(await readEvents(id)).toEqual(['INSTANCE_CHANGED', 'INSTANCE_CHANGED', 'INSTANCE_READY']);
    expect(worker.workflows.words).toEqual(Array(3).fill(`signal instance ${id}`));
    await changed(worker.host.change(id, { phase: 'Running', ready: false }));
    expect(await read(id)).toMatchObject({ state: 'ACTIVE' });
  });

  it('tells the workflow of a ready one when it loses its health, and when it finds it again', async () => {
    const id = await make({ state: 'ACTIVE' });
    place(id);
    await changed(worker.host.makeReady(id));
    await changed(worker.host.change(id, { ready: false }));
    const lost = await read(id);
    expect(lost).toMatchObject({ state: 'ACTIVE', unready_since: expect.any(String) });
    await changed(worker.host.change(id, { ready: false }));
    expect(await read(id)).toMatchObject({ unready_since: lost.unready_since });
    await changed(worker.host.makeReady(id));
    expect(await read(id)).toMatchObject({ state: 'ACTIVE', unready_since: null });
    expect(worker.workflows.words).toEqual(Array(2).fill(`signal instance ${id}`));
  });

  it('is refused when it is older, told twice, of another uid, or of an ended instance', async () => {
    const id = await make();
    const starting = place(id);
    const ready = worker.host.makeReady(id);
    await changed(ready);
    const written = await read(id);
    for (const stale of [starting, ready, { ...ready, uid: 'another', resourceVersion: 1e9, address: 'x' }]) {
      await changed(stale);
      expect(await read(id)).toEqual(written);
    }
    await worker.database.rows(`update model_instance set state = 'TERMINATED' where id = $1`, [id]);
    await changed(worker.host.die(id, 'Error'));
    expect(await read(id)).toMatchObject({ state: 'TERMINATED', termination_reason: null });
  });

  it('gives an instance without uid the one it has', async () => {
    const id = await make({ uid: null, state: 'REQUESTED' });
    await changed(place(id, { phase: 'Running' }));
    expect(await read(id)).toMatchObject({ uid: 'uid', state: 'WAITING_FOR_READINESS' });
  });

  it.each<[string, Partial<ObservedInstance>]>([
    ['is pending', {}],
    ['waits for a node', { waiting: { reason: 'Unschedulable', message: 'no node has room' } }],
    ['runs', { phase: 'Running', node: 'node-1' }],
    ['is over', { phase: 'Failed', node: 'node-1' }],
  ])(
    'leaves the same behind whether its creator or the watch tells of one first that %s',
    async (_, over) => {
      const orders = [];
      for (const isWatchFirst of [false, true]) {
        const id = await make({ uid: null, state: 'REQUESTED' });
        // Before its host took it, it had no room.
        worker.host.full = 'exceeded quota: pods=5';
        await expect(worker.activities.createInstance(id)).rejects.toThrow('exceeded quota');
        worker.host.full = null;
        const seen = place(id, over);
        const tell = [() => worker.activities.createInstance(id), () => changed(seen)];
        if (isWatchFirst) tell.reverse();
        for (const one of tell) await one();
        const { state, uid, waiting_reason, waiting_message, termination_reason } = await read(id);
        const row = { state, uid, waiting_reason, waiting_message, termination_reason };
        orders.push({ row, events: await readEvents(id) });
        await worker.database.rows(`delete from model_instance where id = $1`, [id]);
      }
      const [creatorFirst, watchFirst] = orders;
      expect(watchFirst).toEqual(creatorFirst);
      expect(creatorFirst!.row).toMatchObject({ uid: 'uid' });
      expect(creatorFirst!.row.state).not.toBe('REQUESTED');
      expect(creatorFirst!.events.slice(0, 2)).toEqual(['INSTANCE_CHANGED', 'INSTANCE_POD_CREATED']);
    },
  );

  it('marks one as missing after a gap also when the watch was the first to tell of it', async () => {
    const id = await make({ uid: null, state: 'REQUESTED' });
    await changed(place(id));
    await worker.database.rows(
      `update model_instance set last_updated = last_updated - interval '10 seconds' where id = $1`,
      [id],
    );
    worker.host.instances.clear();
    await listed();
    expect(await read(id)).toMatchObject({ state: 'SHOULD_TERMINATE', termination_reason: 'LOST' });
  });

  it('makes one that is ready while nobody leases it warm, and lends it at once', async () => {
    const alone = await make();
    place(alone);
    await changed(worker.host.makeReady(alone));
    expect(await read(alone)).toMatchObject({ state: 'ACTIVE', idle_since: expect.any(String) });

    const model = await makeModel(worker.database, { maxInstances: 1 });
    const busy = await makeRequest(worker.database, { modelId: model.id, state: 'SCHEDULING' });
    const id = await make({ modelId: model.id });
    const { leaseToken } = await makeLease(worker.database, busy, id);
    const waiting = await makeRequest(worker.database, { modelId: model.id });
    expect((await worker.activities.beginWorkRequest(waiting)).claim.type).toBe('waiting');
    await worker.database.rows(`update instance_lease set state = 'RELEASED' where lease_token = $1`, [
      leaseToken,
    ]);
    place(id);
    await changed(worker.host.makeReady(id));
    expect(await read(id)).toMatchObject({ state: 'ACTIVE', idle_since: null });
    expect(worker.workflows.words).toContain(`signal request ${waiting.requestId}`);
  });

  it.each([
    ['OOMKilled', 137, 'OOMKILLED'],
    ['Error', 3, 'FAILED'],
    ['HostLost', null, 'LOST'],
    ['Evicted', null, 'LOST'],
    ['Preempted', null, 'LOST'],
    ['NodeLost', null, 'LOST'],
  ])('marks one whose server ended with %s to end', async (reason, exitCode, expected) => {
    const id = await make({ state: 'ACTIVE' });
    place(id);
    await changed(worker.host.die(id, reason, exitCode));
    expect(await read(id)).toMatchObject({
      state: 'SHOULD_TERMINATE',
      termination_reason: expected,
      termination_message: expect.stringContaining(`(${reason}`),
      exit_code: exitCode,
    });
    expect(worker.workflows.words).toEqual([`signal instance ${id}`]);
  });

  it('marks one that was removed by someone else, but not one that the hub itself removes', async () => {
    const stolen = await make({ state: 'ACTIVE' });
    place(stolen);
    await changed(worker.host.change(stolen, { terminating: true }));
    expect(await read(stolen)).toMatchObject({ termination_reason: 'LOST' });
    const ours = await make({ state: 'TERMINATING' });
    place(ours);
    await changed(worker.host.change(ours, { terminating: true }));
    expect(await read(ours)).toMatchObject({ state: 'TERMINATING', termination_reason: null });
  });

  it('marks one that is gone, by uid', async () => {
    const id = await make({ state: 'ACTIVE' });
    const instance = place(id);
    await gone({ ...instance, uid: 'another' });
    expect(await read(id)).toMatchObject({ state: 'ACTIVE' });
    await gone(instance);
    expect(await read(id)).toMatchObject({ state: 'SHOULD_TERMINATE', termination_reason: 'LOST' });
  });

  it('says of one that is gone what was seen of it last, which may never have been written', async () => {
    const id = await make({ state: 'ACTIVE' });
    const lastTermination = {
      exitCode: null,
      signal: null,
      reason: 'Preempted',
      message: null,
      finishedAt: null,
    };
    await gone({ ...place(id), phase: 'Failed', lastTermination });
    expect(await read(id)).toMatchObject({
      termination_reason: 'LOST',
      termination_message: 'its place was taken by a pod of a higher priority (Preempted)',
    });
  });

  it('after a gap marks what is missing or was replaced, and spares what is new or was never placed', async () => {
    const [present, missing, replaced, young, unplaced] = [
      await make({ state: 'ACTIVE' }),
      await make({ state: 'ACTIVE' }),
      await make({ state: 'ACTIVE' }),
      await make({ ageSeconds: 0 }),
      await make({ uid: null, state: 'REQUESTED' }),
    ];
    place(present);
    place(replaced, { uid: 'another' });
    await listed();
    expect(await read(present)).toMatchObject({ state: 'ACTIVE' });
    for (const id of [missing, replaced])
      expect(await read(id)).toMatchObject({ state: 'SHOULD_TERMINATE', termination_reason: 'LOST' });
    // Its host took it in after it had given the list.
    expect(await read(young)).toMatchObject({ state: 'INITIALIZING' });
    expect(await read(unplaced)).toMatchObject({ state: 'REQUESTED' });
  });

  it('takes nothing for lost that its host took in while the watch lags or is silent', async () => {
    const nothingSeen = (seconds?: number) =>
      writeObservation(worker.deps, leading, { type: 'listed', instances: [] }, seconds);
    const [waitedLong, quiet] = [
      await make({ uid: null, state: 'REQUESTED', ageSeconds: 60 }),
      await make({ ageSeconds: 10 }),
    ];
    worker.host.silent = true;
    await worker.activities.createInstance(waitedLong);
    await nothingSeen(WATCHED_SECONDS);
    for (const id of [waitedLong, quiet]) expect(await read(id)).toMatchObject({ state: 'INITIALIZING' });
    await nothingSeen();
    expect(await read(waitedLong)).toMatchObject({ state: 'INITIALIZING' });
    expect(await read(quiet)).toMatchObject({ state: 'SHOULD_TERMINATE', termination_reason: 'LOST' });
  });

  it('after a gap catches up with what happened meanwhile', async () => {
    const [became, ended] = [await make(), await make({ state: 'ACTIVE' })];
    place(became);
    worker.host.makeReady(became);
    place(ended);
    worker.host.die(ended, 'OOMKilled', 137);
    worker.host.place('not of this hub');
    await listed();
    await listed();
    expect(await read(became)).toMatchObject({ state: 'ACTIVE' });
    expect(await read(ended)).toMatchObject({ state: 'SHOULD_TERMINATE', termination_reason: 'OOMKILLED' });
    expect(await readEvents(became)).toEqual(['INSTANCE_READY']);
  });

  it('keeps what the host last showed, since when a node has it, and since when it waits', async () => {
    const id = await make();
    const shown = { name: 'pod', node_name: 'node-1' } as ObservedInstance['pod'];
    place(id);
    await changed(worker.host.change(id, { waiting: { reason: 'Unschedulable', message: 'no room' } }));
    const pending = await read(id);
    expect(pending).toMatchObject({ placed_at: null, waiting_since: expect.any(String) });
    const pulling = { reason: 'ErrImagePull', message: 'no such image' };
    await changed(worker.host.change(id, { node: 'node-1', waiting: pulling, pod: shown }));
    const placed = await read(id);
    expect(placed).toMatchObject({ placed_at: expect.any(String), pod: shown });
    expect(placed.waiting_since).not.toBe(pending.waiting_since);
    await changed(worker.host.change(id, { waiting: { ...pulling, reason: 'ImagePullBackOff' } }));
    const backingOff = await read(id);
    expect(backingOff).toMatchObject({ placed_at: placed.placed_at, waiting_since: placed.waiting_since });
    worker.host.change(id, { waiting: null });
    await changed(worker.host.makeReady(id));
    expect(await read(id)).toMatchObject({ waiting_since: null, placed_at: placed.placed_at });
  });

  it('X-W5: tells the workflow of an instance at once that its image can not be pulled', async () => {
    const id = await make();
    place(id);
    await changed(
      worker.host.change(id, {
        node: 'node-1',
        waiting: { reason: 'InvalidImageName', message: 'couldn’t parse it' },
      }),
    );
    expect(worker.workflows.words).toEqual([`signal instance ${id}`]);
    expect(await worker.activities.readInstance(id)).toMatchObject({ readySecondsLeft: 0 });
    await worker.activities.giveUpStarting(id);
    expect(await read(id)).toMatchObject({
      state: 'SHOULD_TERMINATE',
      termination_reason: 'NEVER_READY',
      termination_message: expect.stringMatching(
        /^the name of its image is not valid: couldn’t parse it; correct/,
      ),
    });
  });

  it('that can not be written keeps nothing else of its list from being written', async () => {
    const [impossible, became] = [await make(), await make()];
    place(impossible);
    worker.host.change(impossible, { node: 'no column holds \u0000' });
    place(became);
    worker.host.makeReady(became);
    await expect(listed()).rejects.toThrow(/1 of 2 observations could not be written/);
    expect(await read(became)).toMatchObject({ state: 'ACTIVE' });
  });

  it('is not written by someone who leads no more', async () => {
    const refused: AssertLeading = async () => {
      throw new NotLeadingError('not leading');
    };
    const id = await make({ state: 'ACTIVE' });
    const instance = place(id);
    const ready = worker.host.makeReady(id);
    for (const event of [
      { type: 'changed', instance: ready },
      { type: 'gone', instance },
      { type: 'listed', instances: [] },
    ] as const) {
      await expect(writeObservation(worker.deps, refused, event)).rejects.toThrow(NotLeadingError);
    }
    expect(await read(id)).toMatchObject({ state: 'ACTIVE', resource_version: 0 });
  });
});
