import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { takePartInLeading, type Lead } from '../../activities/leader/lead.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';
import { waitUntil } from '../support/wait-until.js';

/** Longer than any partition that there is yet. */
const retention = { GUEST_RETENTION_DAYS: 7, REGISTERED_RETENTION_DAYS: 90, INSTANCE_RETENTION_DAYS: 7 };

describeWith('postgres')('partitions that the leader makes', () => {
  let worker: PlayedWorker;
  let lead: Lead | null = null;
  beforeAll(async () => {
    worker = await openPlayedWorker();
  });
  afterAll(async () => {
    await lead?.close();
    await worker.close();
  });

  const partitions = () =>
    worker.database.rows(`select from pg_inherits where inhparent = 'work_request_event'::regclass`);

  it('wait for whoever analyses the table, and nothing else that the leader does waits with them', async () => {
    const before = (await partitions()).length;
    await worker.database.transaction(async (sql) => {
      await sql.rows(`lock table work_request_event in share update exclusive mode`);
      lead = takePartInLeading({ ...worker.deps, retention });
      const hasPassed = async () => worker.workflows.observersStarted > 0 || undefined;
      await waitUntil('the first pass of the reconciler', hasPassed, { withinMs: 4_000, everyMs: 20 });
      expect(await partitions()).toHaveLength(before);
    });
    const areMade = async () => (await partitions()).length > before || undefined;
    await waitUntil('the partitions', areMade, { withinMs: 8_000, everyMs: 50 });
  });
});
