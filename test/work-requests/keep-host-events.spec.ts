import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { recordInstanceEvent } from '../../db/queries/instance-events.js';
import { keepHostEvents } from '../../activities/instances/keep-host-events.js';
import { takePartInLeading, type Lead } from '../../activities/leader/lead.js';
import { NotLeadingError } from '../../activities/leader/leadership.js';
import type { WatchedInstanceEvent } from '../../hosts/model-host.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeModel } from '../factories/make-model.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

const retention = { GUEST_RETENTION_DAYS: 7, REGISTERED_RETENTION_DAYS: 90, INSTANCE_RETENTION_DAYS: 7 };

describeWith('postgres')('what a host reports of an instance', () => {
  let worker: PlayedWorker;
  let lead: Lead | null = null;

  beforeAll(async () => {
    worker = await openPlayedWorker();
  });
  afterAll(() => worker.close());
  afterEach(async () => {
    await lead?.close();
    lead = null;
    worker.host.events.length = 0;
    worker.host.instances.clear();
  });

  const make = async (uid: string | null = 'uid') =>
    makeInstance(worker.database, {
      modelId: (await makeModel(worker.database)).id,
      state: 'INITIALIZING',
      idleSeconds: null,
      uid,
    });
  const event = (instanceId: string, over: Partial<WatchedInstanceEvent> = {}): WatchedInstanceEvent => ({
    instanceId,
    uid: 'uid',
    id: randomUUID(),
    at: new Date().toISOString(),
    type: 'Normal',
    reason: 'Pulled',
    message: 'the image is here',
    raw: { kind: 'Event', count: 1 },
    ...over,
  });
  const read = (instanceId: string) =>
    worker.database.rows<{ event_no: number; source: string; type: string; at: string; details: unknown }>(
      `select event_no, source, type, at, details from instance_event where instance_id = $1 order by event_no`,
      [instanceId],
    );
  const typesOf = async (instanceId: string) => (await read(instanceId)).map(({ type }) => type);
  const keep = (...events: WatchedInstanceEvent[]) => keepHostEvents(worker.database, events);
  const startLeading = () => {
    lead = takePartInLeading({ ...worker.deps, retention });
  };
  const untilTypes = async (instanceId: string, ...types: string[]) => {
    const latest = performance.now() + 8_000;
    while (String(await typesOf(instanceId)) !== String(types)) {
      if (performance.now() > latest)
        throw new Error(`${types.join(', ')} are not written; so far: ${String(await typesOf(instanceId))}`);
      await sleep(20);
    }
  };

  it('stands in one history with the hub’s own events, numbered on, at the host’s time and as it came', async () => {
    const id = await make();
    await recordInstanceEvent(worker.database, id, 'INSTANCE_POD_CREATED');
    const warning = event(id, { type: 'Warning', reason: 'Failed', at: '2026-01-02T03:04:05.678Z' });
    await keep(warning, event(id));
    await recordInstanceEvent(worker.database, id, 'INSTANCE_ENDED');
    const written = await read(id);
    expect(written.map(({ event_no, source, type }) => [event_no, source, type])).toEqual([
      [1, 'hub', 'INSTANCE_POD_CREATED'],
      [2, 'cluster', 'Failed'],
      [3, 'cluster', 'Pulled'],
      [4, 'hub', 'INSTANCE_ENDED'],
    ]);
    expect(written[1]).toMatchObject({
      at: '2026-01-02T03:04:05.678000Z',
      details: { type: 'Warning', message: 'the image is here', raw: { kind: 'Event', count: 1 } },
    });
  });

  it('is written once, however often and by however many it is told', async () => {
    const id = await make();
    const events = Array.from({ length: 20 }, (_, index) => event(id, { reason: `R${index}` }));
    await Promise.all([keep(...events), keep(...events, ...events), keep(...events.toReversed())]);
    await keep(...events);
    const written = await read(id);
    expect(written.map(({ type }) => type).sort()).toEqual(events.map(({ reason }) => reason).sort());
    expect(written.map(({ event_no }) => event_no)).toEqual(events.map((_, index) => index + 1));
  });

  it('is not taken from another uid, nor for an instance that nobody knows', async () => {
    const id = await make();
    expect(await keep(event(id, { uid: 'another' }), event('unknown'))).toEqual([]);
    expect(await read(id)).toEqual([]);
  });

  it('is still taken after the end of the instance', async () => {
    const id = await make();
    await worker.database.rows(`update model_instance set state = 'TERMINATED' where id = $1`, [id]);
    await keep(event(id, { reason: 'Killing' }));
    expect(await typesOf(id)).toEqual(['Killing']);
  });

  it('may hold texts that the database has no room for', async () => {
    const id = await make();
    await keep(event(id, { reason: 'B\0d', message: '\ud800', raw: { 'a\0': ['\0'] } }));
    expect(await read(id)).toMatchObject([{ type: 'B\ufffdd', details: { message: '\ufffd' } }]);
  });

  it('that can not be written keeps no other from being written', async () => {
    const [expired, other] = [await make(), await make()];
    // There is no partition for such a day.
    await worker.database.rows(`update model_instance set expires_on = '2001-01-01' where id = $1`, [
      expired,
    ]);
    await expect(keep(event(expired), event(other))).rejects.toThrow(
      '1 of 2 observations could not be written',
    );
    expect(await typesOf(other)).toEqual(['Pulled']);
  });

  it('is refused from one who leads no more', async () => {
    const id = await make();
    const refuse = () => Promise.reject(new NotLeadingError('not you'));
    await expect(keepHostEvents(worker.database, [event(id)], refuse)).rejects.toThrow(NotLeadingError);
    expect(await read(id)).toEqual([]);
  });

  it('is written by the leader as it is reported, and what was reported before it led', async () => {
    const id = await make();
    worker.host.report(event(id, { reason: 'Scheduled' }));
    startLeading();
    await untilTypes(id, 'Scheduled');
    worker.host.report(event(id, { reason: 'Started' }));
    await untilTypes(id, 'Scheduled', 'Started');
  });

  it('waits for the uid of an instance that is being created', async () => {
    const id = await make(null);
    startLeading();
    worker.host.report(event(id, { reason: 'Scheduled' }));
    worker.host.report(event(id, { reason: 'Impostor', uid: 'another' }));
    const other = await make();
    worker.host.report(event(other));
    await untilTypes(other, 'Pulled');
    expect(await read(id)).toEqual([]);
    await worker.database.rows(`update model_instance set uid = 'uid' where id = $1`, [id]);
    await untilTypes(id, 'Scheduled');
  });

  it('is asked for once more at the end, for what no watch told', async () => {
    const id = await make();
    worker.host.events.push(event(id, { reason: 'OOMKilling' }), event(id, { uid: 'another' }));
    await worker.activities.keepEvidence(id);
    await worker.activities.keepEvidence(id);
    expect(await typesOf(id)).toEqual(['OOMKilling']);
  });

  it('is told of thousands of instances at once, as to a new leader, in one read of what is known', async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, () => make()));
    const events = ids.flatMap((id) => Array.from({ length: 25 }, () => event(id)));
    await keep(...events);
    const count = `select count(*)::integer as written from instance_event where instance_id = any($1)`;
    expect(await worker.database.rows(count, [ids])).toEqual([{ written: 1_000 }]);
    const asked = [jest.spyOn(worker.database, 'rows'), jest.spyOn(worker.database, 'transaction')];
    await keep(...events);
    expect(asked.map(({ mock }) => mock.calls.length)).toEqual([1, 0]);
    for (const spy of asked) spy.mockRestore();
  });
});
