import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  isFinished,
  nextWorkRequestState,
  workRequestMoves,
  workRequestStates,
  type WorkRequestState,
} from '../../domain/work-request/work-request.js';
import { freshDatabase, type TestDatabase } from '../../test/support/database.js';
import { describeWith } from '../../test/support/require-part.js';
import { databaseSettings } from '../database.config.js';
import { openDatabase, type Database } from '../database.js';
import { openNotifications } from '../notifications.js';
import { moveWorkRequest, recordRequestEvent, REQUEST_CHANNEL } from './request-progress.js';

interface RequestRow {
  state: WorkRequestState;
  version: number;
  failure: unknown;
  processed_at: string | null;
}

describeWith('postgres')("a request's progress", () => {
  let testDatabase: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    testDatabase = await freshDatabase();
    database = await openDatabase(
      databaseSettings.parse({ DATABASE_URL: testDatabase.url, DATABASE_POOL_MAX_SIZE: '60' }),
    );
    await database.rows(
      `insert into model (id, image, cpu_request_millicores, cpu_limit_millicores,
         memory_request_mebibytes, memory_limit_mebibytes) values ('eos-test', 'image', 1, 1, 1, 1)`,
    );
  });
  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });

  const makeRequest = async (state: WorkRequestState = 'QUEUED', expiresOn = 'tomorrow') => {
    const [request] = await database.rows<{ id: number }>(
      `insert into work_request (run_key, user_id, user_kind, session_id, model_id, state, expires_on)
       values ('key', 'user', 'guest', 'session', 'eos-test', $1, $2::date) returning id`,
      [state, expiresOn],
    );
    return request!.id;
  };
  const readRequest = async (id: number) => {
    const rows = await database.rows<RequestRow>(
      `select state, version, failure, processed_at from work_request where id = $1`,
      [id],
    );
    return rows[0]!;
  };
  const readEvents = (id: number) =>
    database.rows<{ event_no: number; type: string; details: Record<string, unknown> }>(
      `select event_no, type, details from work_request_event where request_id = $1 order by event_no`,
      [id],
    );
  const readStatistics = (id: number) =>
    database.rows<Record<string, unknown>>(`select * from request_statistic where request_id = $1`, [id]);

  const table = workRequestStates.flatMap((from) =>
    workRequestMoves.map((move) => ({ from, move, to: nextWorkRequestState(from, move) })),
  );

  it.each(table)('in $from by "$move" leads to $to (null: refused, nothing changes)', async (row) => {
    const id = await makeRequest(row.from);
    const before = await readRequest(id);
    const moved = await database.transaction((sql) => moveWorkRequest(sql, id, row.move));
    expect(moved).toBe(row.to !== null);
    const after = await readRequest(id);
    if (row.to === null) {
      expect(after).toEqual(before);
      expect(await readEvents(id)).toEqual([]);
      return;
    }
    expect(after.state).toBe(row.to);
    expect(after.version).toBe(1);
    expect(after.processed_at === null).toBe(!isFinished(row.to));
    expect(await readStatistics(id)).toHaveLength(isFinished(row.to) ? 1 : 0);
  });

  it('tells its end as an event, a reason and a statistic', async () => {
    const id = await makeRequest('PROCESSING');
    const failure = { type: 'ModelError', message: 'the model answered with HTML; tell its owner' } as const;
    await database.transaction((sql) => moveWorkRequest(sql, id, 'fail', { failure, event: { shard: 3 } }));
    expect((await readRequest(id)).failure).toEqual(failure);
    expect(await readEvents(id)).toEqual([{ event_no: 1, type: 'failed', details: { shard: 3, failure } }]);
    expect(await readStatistics(id)).toMatchObject([
      { state: 'FAILED', failure_type: 'ModelError', model_id: 'eos-test', user_kind: 'guest' },
    ]);
  });

  it('forgets why it failed when it is queued again, and its statistic follows the next end', async () => {
    const id = await makeRequest('PROCESSING');
    const failure = { type: 'InstanceLost', message: 'lost' } as const;
    await database.transaction((sql) => moveWorkRequest(sql, id, 'fail', { failure }));
    await database.transaction((sql) => moveWorkRequest(sql, id, 'queue again'));
    expect(await readRequest(id)).toMatchObject({ state: 'QUEUED', failure: null, processed_at: null });
    for (const move of ['plan', 'run', 'complete'] as const) {
      expect(await database.transaction((sql) => moveWorkRequest(sql, id, move))).toBe(true);
    }
    expect(await readStatistics(id)).toMatchObject([{ state: 'COMPLETED', failure_type: null }]);
  });

  it('is refused to a run whose key is no longer the row’s', async () => {
    const id = await makeRequest('PROCESSING');
    const move = (runKey: string) =>
      database.transaction((sql) => moveWorkRequest(sql, id, 'complete', { runKey }));
    expect(await move('an older key')).toBe(false);
    expect((await readRequest(id)).state).toBe('PROCESSING');
    expect(await move('key')).toBe(true);
  });

  it('of a request that does not exist is nothing', async () => {
    expect(await moveWorkRequest(database, 999_999_999, 'cancel')).toBe(false);
    await recordRequestEvent(database, 999_999_999, 'progress');
    expect(await readEvents(999_999_999)).toEqual([]);
  });

  it('is numbered without gap or double by 20 concurrent writers', async () => {
    const id = await makeRequest('PROCESSING');
    await Promise.all(
      Array.from({ length: 20 }, async (_, writer) => {
        for (let step = 0; step < 10; step++) {
          await recordRequestEvent(database, id, 'progress', { writer, step });
        }
      }),
    );
    const events = await readEvents(id);
    expect(events.map(({ event_no }) => event_no)).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 1),
    );
    expect((await readRequest(id)).version).toBe(200);
    for (let writer = 0; writer < 20; writer++) {
      const own = events
        .filter(({ details }) => details.writer === writer)
        .map(({ details }) => details.step);
      expect(own).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it('ends exactly once under 50 concurrent enders', async () => {
    const id = await makeRequest('PROCESSING');
    const ways = ['complete', 'fail', 'cancel'] as const;
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        database.transaction((sql) => moveWorkRequest(sql, id, ways[index % 3]!)),
      ),
    );
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    const [end, ...more] = await readEvents(id);
    expect(more).toEqual([]);
    const request = await readRequest(id);
    expect(end!.type.toUpperCase()).toBe(request.state);
    expect(request.version).toBe(1);
    expect(await readStatistics(id)).toMatchObject([{ state: request.state }]);
  });

  it('is moved wholly or not at all, also outside a transaction', async () => {
    // No partition is home to this day, so the event can't be written.
    const id = await makeRequest('PROCESSING', '2001-01-01');
    await expect(moveWorkRequest(database, id, 'complete')).rejects.toThrow(/no partition/);
    expect(await readRequest(id)).toMatchObject({ state: 'PROCESSING', version: 0 });
    expect(await readStatistics(id)).toEqual([]);
  });

  it('is told to whoever listens, with the version, when it is committed', async () => {
    const notifications = openNotifications(testDatabase.url, () => undefined);
    const heard: (string | null)[] = [];
    const arrived = async (count: number) => {
      const latest = Date.now() + 5_000;
      while (heard.length < count && Date.now() < latest)
        await new Promise((resolve) => setTimeout(resolve, 10));
    };
    try {
      notifications.on(REQUEST_CHANNEL, (payload) => heard.push(payload));
      await arrived(1);
      const id = await makeRequest();
      await expect(
        database.transaction(async (sql) => {
          await moveWorkRequest(sql, id, 'plan');
          throw new Error('rolled back');
        }),
      ).rejects.toThrow('rolled back');
      await moveWorkRequest(database, id, 'plan');
      await recordRequestEvent(database, id, 'waiting');
      await arrived(3);
      expect(heard).toEqual([null, `${id}:1`, `${id}:2`]);
    } finally {
      await notifications.close();
    }
  });
});
