import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Database } from '../../db/database.js';
import { readLeasedWork } from '../../db/queries/leased-work.js';
import { readLease, releaseLease } from '../../db/queries/leases.js';
import { moveWorkRequest } from '../../db/queries/request-progress.js';
import { countAttemptAgain, storeJobId, takeBackAttempt } from '../../db/queries/shard-attempts.js';
import { storeShard, takeShard, type ShardPlace } from '../../db/queries/shards.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel } from '../factories/make-model.js';
import { makeRequest, shardsOf, type MadeRequest } from '../factories/make-request.js';
import { openTestDatabase } from '../support/open-test-database.js';
import { describeWith } from '../support/require-part.js';

describeWith('postgres')('the shards of a request', () => {
  let database: Database;
  let modelId: string;

  beforeAll(async () => {
    database = await openTestDatabase();
    ({ id: modelId } = await makeModel(database));
  });
  afterAll(() => database.close());

  const running = (shards: number) =>
    makeRequest(database, { modelId, state: 'PROCESSING', shards: shardsOf(shards) });
  const lend = async (request: MadeRequest, slice = 0) =>
    makeLease(database, request, await makeInstance(database, { modelId }), slice);
  const take = (place: ShardPlace, held: readonly number[] = []) => takeShard(database, place, held);
  const store = (
    place: ShardPlace,
    shardNo: number,
    over: { rowsFailed?: number; rowsInvalid?: number } = {},
  ) =>
    database.transaction((sql) =>
      storeShard(sql, place, {
        shardNo,
        rowCount: 1,
        rowsFailed: 0,
        rowsInvalid: 0,
        columns: ['length'],
        result: Buffer.from(`result ${shardNo}`),
        ...over,
      }),
    );
  const release = (place: ShardPlace) =>
    database.transaction((sql) => releaseLease(sql, place.leaseToken, { outcome: 'lost' }));
  const readRequest = async ({ requestId }: MadeRequest) =>
    (
      await database.rows<Record<string, unknown>>(`select * from work_request where id = $1`, [requestId])
    )[0]!;
  const readShards = ({ requestId }: MadeRequest) =>
    database.rows<Record<string, unknown>>(
      `select * from work_request_shard where request_id = $1 order by shard_no`,
      [requestId],
    );
  const readEvents = ({ requestId }: MadeRequest) =>
    database.rows<{ event_no: number; type: string; details: unknown }>(
      `select event_no, type, details from work_request_event where request_id = $1 order by event_no`,
      [requestId],
    );

  it('carry the names of their model’s columns to whoever computes, and to nobody who only asks how the lease stands', async () => {
    const { id } = await makeModel(database, { columns: ['amw', 'tpsa'] });
    const request = await makeRequest(database, { modelId: id, state: 'PROCESSING' });
    const place = await makeLease(database, request, await makeInstance(database, { modelId: id }));
    expect(await readLeasedWork(database, place.leaseToken)).toMatchObject({
      request_id: request.requestId,
      model_columns: ['amw', 'tpsa'],
    });
    expect(JSON.stringify(await readLease(database, place.leaseToken))).not.toContain('tpsa');
    expect(await readLeasedWork(database, 'no such token')).toBeNull();
  });

  it('are taken in order, each by one of two leases that take at once', async () => {
    const request = await running(40);
    const leases = [await lend(request, 0), await lend(request, 1)];
    const taken = await Promise.all(
      leases.map(async (place) => {
        const own: number[] = [];
        for (;;) {
          const shard = await take(place, own);
          if (!shard) return own;
          own.push(shard.shard_no);
        }
      }),
    );
    expect(taken.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, no) => no));
    for (const own of taken) expect(own).toEqual(own.toSorted((a, b) => a - b));
  });

  it('are counted exactly when two leases store at once, and each step is told once', async () => {
    const request = await running(30);
    const leases = [await lend(request, 0), await lend(request, 1)];
    await Promise.all(
      leases.map(async (place) => {
        for (let shard = await take(place); shard; shard = await take(place)) {
          expect(await store(place, shard.shard_no, { rowsInvalid: shard.shard_no % 2, rowsFailed: 0 })).toBe(
            true,
          );
        }
      }),
    );
    expect(await readRequest(request)).toMatchObject({
      shards_done: 30,
      rows_done: 30,
      rows_invalid: 15,
      rows_failed: 0,
      result_columns: ['length'],
      version: 29,
    });
    const events = await readEvents(request);
    expect(events.map(({ event_no }) => event_no)).toEqual(Array.from({ length: 29 }, (_, no) => no + 1));
    expect(events.map(({ details }) => details)).toEqual(
      Array.from({ length: 29 }, (_, no) => ({
        rows_done: no + 1,
        row_count: 30,
        shards_done: no + 1,
        shard_count: 30,
      })),
    );
    const worked = await database.rows<{ shards: number; rows: number }>(
      `select sum(shards)::int as shards, sum(rows)::int as rows from instance_lease where request_id = $1`,
      [request.requestId],
    );
    expect(worked).toEqual([{ shards: 30, rows: 30 }]);
  });

  it('tell no progress with the last one: the end does', async () => {
    const request = await running(1);
    const place = await lend(request);
    await take(place);
    expect(await store(place, 0)).toBe(true);
    expect(await readEvents(request)).toEqual([]);
  });

  it('count once when stored twice', async () => {
    const request = await running(2);
    const place = await lend(request);
    await take(place);
    expect(await store(place, 0)).toBe(true);
    expect(await store(place, 0)).toBe(false);
    expect(await readRequest(request)).toMatchObject({ shards_done: 1, rows_done: 1 });
  });

  it('are stored only by who took them', async () => {
    const request = await running(2);
    const first = await lend(request, 0);
    const second = await lend(request, 1);
    await take(first);
    expect(await store(second, 0)).toBe(false);
    expect(await store(second, 1)).toBe(false);
    expect(await readShards(request)).toMatchObject([{ state: 'RUNNING' }, { state: 'PENDING' }]);
  });

  it('of a lease that is over are taken over, without the job that another server ran', async () => {
    const request = await running(1);
    const dead = await lend(request);
    expect(await take(dead)).toMatchObject({ shard_no: 0, attempt: 1, job_id: null });
    const taking = { shard_no: 0, attempt: 1 };
    await storeJobId(database, dead, taking, 'job-1');
    expect(await take(dead, [0])).toBeNull();
    expect(await take(dead)).toMatchObject({ ...taking, job_id: 'job-1' });
    const next = await lend(request, 1);
    expect(await take(next)).toBeNull();
    await release(dead);
    expect(await take(next)).toMatchObject({ shard_no: 0, attempt: 2, job_id: null });
    await storeJobId(database, dead, taking, 'late');
    expect(await readShards(request)).toMatchObject([{ job_id: null, lease_token: next.leaseToken }]);
    expect(await store(dead, 0)).toBe(false);
    expect(await store(next, 0)).toBe(true);
  });

  it('lose the attempt of a taking once, by whatever way, and get it back once', async () => {
    const request = await running(1);
    const place = await lend(request);
    await take(place);
    const taking = (await take(place))!;
    const attempts = async () => (await readShards(request)).map(({ attempt }) => attempt);
    expect(await attempts()).toEqual([2]);
    await takeBackAttempt(database, place, taking);
    await takeBackAttempt(database, place, taking);
    await storeJobId(database, place, taking, 'job-1');
    expect(await attempts()).toEqual([1]);
    await countAttemptAgain(database, place, taking);
    await countAttemptAgain(database, place, taking);
    expect(await attempts()).toEqual([2]);
    await storeJobId(database, place, taking, 'job-2');
    await takeBackAttempt(database, place, taking);
    expect(await attempts()).toEqual([1]);
  });

  it('keep the attempt of whoever took them when an earlier taking takes back its own', async () => {
    const request = await running(1);
    const place = await lend(request);
    const early = (await take(place))!;
    await take(place);
    await takeBackAttempt(database, place, early);
    await countAttemptAgain(database, place, early);
    expect(await readShards(request)).toMatchObject([{ attempt: 2 }]);
  });

  it('are refused to a lease that was released, and to one that never was', async () => {
    const request = await running(1);
    const place = await lend(request);
    await take(place);
    await release(place);
    expect(await store(place, 0)).toBe(false);
    expect(await take(place)).toBeNull();
    expect(await take({ ...place, leaseToken: 'invented' })).toBeNull();
  });

  it('are refused to a lease that is released while it waits to store', async () => {
    const request = await running(1);
    const place = await lend(request);
    await take(place);
    let storing: Promise<boolean> | undefined;
    await database.transaction(async (sql) => {
      await sql.rows(`update work_request set attempts = attempts + 1 where id = $1`, [request.requestId]);
      await releaseLease(sql, place.leaseToken, { outcome: 'lost' });
      storing = store(place, 0);
      await untilSomebodyWaits();
    });
    expect(await storing).toBe(false);
    expect(await readShards(request)).toMatchObject([{ state: 'RUNNING', result: null }]);
  });

  it.each(['cancel', 'fail', 'complete'] as const)('are refused after %s', async (move) => {
    const request = await running(2);
    const place = await lend(request);
    await take(place);
    expect(await moveWorkRequest(database, request.requestId, move)).toBe(true);
    expect(await store(place, 0)).toBe(false);
    expect(await take(place)).toBeNull();
  });

  it('of an older run are taken by the new one at once, and by nobody back', async () => {
    const request = await running(2);
    const old = await lend(request);
    await take(old);
    await database.rows(`update work_request set run_key = 'a new run' where id = $1`, [request.requestId]);
    expect(await store(old, 0)).toBe(false);
    expect(await take(old, [0])).toBeNull();
    const place = await lend({ ...request, runKey: 'a new run' });
    expect(await take(place)).toMatchObject({ shard_no: 0, attempt: 2, job_id: null });
    expect(await take(old)).toBeNull();
    expect(await store(place, 0)).toBe(true);
  });

  /** Until a statement of this database waits for another's lock. */
  async function untilSomebodyWaits(): Promise<void> {
    for (;;) {
      const waiting = await database.rows(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (waiting.length > 0) return;
    }
  }
});
