import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { beginLease } from '../../activities/work-requests/begin-lease.js';
import { readLease } from '../../db/queries/leases.js';
import { takeShard, type ShardPlace } from '../../db/queries/shards.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel } from '../factories/make-model.js';
import { makeRequest } from '../factories/make-request.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

describeWith('postgres')('whoever waits for a row that somebody holds', () => {
  let worker: PlayedWorker;
  let place: ShardPlace;
  let instanceId: string;

  beforeAll(async () => {
    worker = await openPlayedWorker();
  });
  afterAll(() => worker.close());
  beforeEach(async () => {
    const { id: modelId } = await makeModel(worker.database);
    const request = await makeRequest(worker.database, { modelId, state: 'SCHEDULING' });
    instanceId = await makeInstance(worker.database, { modelId });
    place = await makeLease(worker.database, request, instanceId);
  });

  /** Until a statement of this database waits for another's lock. */
  async function untilSomebodyWaits(): Promise<void> {
    const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    while ((await worker.database.rows(waiting)).length === 0);
  }

  it('does not hold the request while it begins to work on an instance that the leader writes', async () => {
    await worker.database.rows(`update model_instance set model_version = 'v1' where id = $1`, [instanceId]);
    const lease = (await readLease(worker.database, place.leaseToken))!;
    let begun = Promise.resolve();
    await worker.database.transaction(async (leader) => {
      await leader.rows(`select from model_instance where id = $1 for update`, [instanceId]);
      begun = beginLease(worker.deps, lease, 'nowhere:1', new AbortController().signal);
      await untilSomebodyWaits();
      await leader.rows(`select from work_request where id = $1 for update nowait`, [place.requestId]);
    });
    await begun;
    expect((await readLease(worker.database, place.leaseToken))?.request_state).toBe('PROCESSING');
  });

  it('does not hold shards while it settles a request into which a late worker writes', async () => {
    await takeShard(worker.database, place, []);
    let settled: Promise<unknown> = Promise.resolve();
    await worker.database.transaction(async (late) => {
      await late.rows(`select from work_request where id = $1 for update`, [place.requestId]);
      const lost = { type: 'lost', crashed: false, message: 'gone' } as const;
      settled = worker.activities.settleLease(place.leaseToken, lost);
      await untilSomebodyWaits();
      await late.rows(
        `select from work_request_shard where expires_on = $1 and request_id = $2 for update nowait`,
        [place.expiresOn, place.requestId],
      );
    });
    expect(await settled).toMatchObject({ type: 'granted' });
  });
});
