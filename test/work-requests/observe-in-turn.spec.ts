import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { takePartInLeading } from '../../activities/leader/lead.js';
import { lockClaims } from '../../db/queries/claims.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeModel } from '../factories/make-model.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

const retention = { GUEST_RETENTION_DAYS: 7, REGISTERED_RETENTION_DAYS: 90, INSTANCE_RETENTION_DAYS: 7 };

describeWith('postgres')('what the host says faster than it can be written', () => {
  let worker: PlayedWorker;
  beforeAll(async () => {
    worker = await openPlayedWorker();
  });
  afterAll(() => worker.close());

  const read = async (id: string) =>
    (
      await worker.database.rows<Record<string, unknown>>(`select * from model_instance where id = $1`, [id])
    )[0]!;
  const place = async (uid: string, ageSeconds = 0) => {
    const { id: modelId } = await makeModel(worker.database);
    const id = await makeInstance(worker.database, {
      modelId,
      state: 'INITIALIZING',
      idleSeconds: null,
      ageSeconds,
      uid,
    });
    worker.host.place(id, modelId, { uid });
    return id;
  };

  it('is not taken for lost by a new leader whose watch fell silent before it could tell', async () => {
    worker.host.silent = true;
    const [untold, lost] = [await place('untold', 10), await place('lost', 60)];
    const lead = takePartInLeading({ ...worker.deps, retention });
    try {
      while ((await read(lost)).state !== 'SHOULD_TERMINATE') await sleep(20);
      expect(await read(untold)).toMatchObject({ state: 'INITIALIZING' });
    } finally {
      worker.host.silent = false;
      await lead.close();
    }
  });

  it('is written as it is by then, once for each instance, and its end is not passed over', async () => {
    const [slow, busy, gone] = [await place('slow'), await place('busy'), await place('gone')];
    const lead = takePartInLeading({ ...worker.deps, retention });
    try {
      while (!lead.leading) await sleep(10);
      await sleep(200);
      await worker.database.transaction(async (sql) => {
        // Whoever becomes ready waits for the claims, and all that is said after it waits in line.
        await lockClaims(sql);
        worker.host.makeReady(slow);
        for (const reason of ['ErrImagePull', 'ImagePullBackOff', 'ErrImagePull', 'Unschedulable'])
          worker.host.change(busy, { waiting: { reason, message: reason } });
        worker.host.change(gone, { phase: 'Running' });
        worker.host.vanish(gone);
        await sleep(100);
      });
      while ((await read(gone)).state !== 'SHOULD_TERMINATE') await sleep(20);
      expect(await read(slow)).toMatchObject({ state: 'ACTIVE' });
      expect(await read(busy)).toMatchObject({ waiting_reason: 'Unschedulable' });
      const events = await worker.database.rows<{ type: string }>(
        `select type from instance_event where instance_id = $1`,
        [busy],
      );
      expect(events).toEqual([{ type: 'INSTANCE_CHANGED' }]);
    } finally {
      await lead.close();
    }
  });
});
