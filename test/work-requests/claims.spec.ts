import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Database, Sql } from '../../db/database.js';
import { lockClaims, serveClaims, type ClaimHints, type ClaimSettings } from '../../db/queries/claims.js';
import { insertClaim, releaseLease } from '../../db/queries/leases.js';
import { readPlan } from '../../db/queries/read-claims.js';
import { makeInstance } from '../factories/make-instance.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { makeRequest, type MadeRequest } from '../factories/make-request.js';
import { openTestDatabase } from '../support/open-test-database.js';
import { describeWith } from '../support/require-part.js';

describeWith('postgres')('claims', () => {
  let database: Database;
  let model: MadeModel;
  const settings: ClaimSettings = {
    maxInstances: 4,
    patienceSeconds: 10,
    hostKind: 'test',
    instanceRetentionDays: 1,
  };

  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    for (const table of ['instance_lease', 'model_instance', 'work_request', 'user_usage', 'model'])
      await database.rows(`delete from ${table}`);
    model = await makeModel(database);
  });

  const submit = (over: { userId?: string; modelId?: string; memoryBytes?: number } = {}) =>
    makeRequest(database, { modelId: model.id, state: 'SCHEDULING', ...over });
  const underLock = <Result>(work: (sql: Sql) => Promise<Result>) =>
    database.transaction(async (sql) => {
      await lockClaims(sql);
      return work(sql);
    });
  const claim = (request: MadeRequest, limits: Partial<ClaimSettings> = {}, slice = 0) =>
    underLock(async (sql) => {
      const leaseToken = await insertClaim(sql, request, slice);
      return { leaseToken, hints: await serveClaims(sql, { ...settings, ...limits }) };
    });
  const serve = (limits: Partial<ClaimSettings> = {}): Promise<ClaimHints> =>
    underLock((sql) => serveClaims(sql, { ...settings, ...limits }));
  const release = (leaseToken: string) =>
    underLock((sql) => releaseLease(sql, leaseToken, { outcome: 'finished' }));
  const readLease = async (leaseToken: string) =>
    (
      await database.rows<{ state: string; instance_id: string | null; charged_seconds: number }>(
        `select state, instance_id, charged_seconds from instance_lease where lease_token = $1`,
        [leaseToken],
      )
    )[0]!;
  const readInstances = () =>
    database.rows<Record<string, unknown>>(`select * from model_instance order by created_at, id`);
  const readUsage = async (userId: string) =>
    (
      await database.rows<{ decayed_seconds: number }>(
        `select decayed_seconds from user_usage where user_id = $1`,
        [userId],
      )
    )[0]?.decayed_seconds;

  it('are read as often as there are questions about them, however many models they are of', async () => {
    for (let models = 0; models < 20; models += 1)
      await insertClaim(database, await submit({ modelId: (await makeModel(database)).id }), 0);
    const scans = await database.transaction(async (sql) => {
      const countScans = async () =>
        (
          await sql.rows<{ scans: number }>(
            `select seq_scan + idx_scan as scans from pg_stat_xact_user_tables where relname = 'instance_lease'`,
          )
        )[0]!.scans;
      const before = await countScans();
      expect((await readPlan(sql, { maxInstances: 1, patienceSeconds: 10 })).wait).toHaveLength(19);
      return (await countScans()) - before;
    });
    expect(scans).toBeLessThan(5);
  });

  it('are lent a free instance of their model, and say whom to tell', async () => {
    const instanceId = await makeInstance(database, { modelId: model.id });
    const request = await submit();
    const { leaseToken, hints } = await claim(request);
    expect(hints).toMatchObject({
      granted: [{ leaseToken, requestId: request.requestId, runKey: request.runKey }],
      started: [],
      retired: [],
    });
    expect(await readLease(leaseToken)).toMatchObject({ state: 'GRANTED', instance_id: instanceId });
    expect((await readInstances())[0]).toMatchObject({ idle_since: null });
  });

  it('are lent one that passes its health checks before one that misses them', async () => {
    await makeInstance(database, { modelId: model.id, idleSeconds: 50, unreadySeconds: 5 });
    const well = await makeInstance(database, { modelId: model.id, idleSeconds: 1 });
    const { leaseToken } = await claim(await submit());
    expect(await readLease(leaseToken)).toMatchObject({ state: 'GRANTED', instance_id: well });
  });

  it('are the same lease when claimed again, waiting or granted, and a new one after release', async () => {
    const request = await submit();
    const first = await claim(request, { maxInstances: 0 });
    expect((await claim(request, { maxInstances: 0 })).leaseToken).toBe(first.leaseToken);
    const granted = await claim(request);
    expect(granted.leaseToken).toBe(first.leaseToken);
    expect((await claim(request)).hints.granted).toEqual([]);
    await release(first.leaseToken);
    expect((await claim(request)).leaseToken).not.toBe(first.leaseToken);
  });

  it('of a run that is over are refused', async () => {
    const request = await submit();
    await expect(claim({ ...request, runKey: 'older' })).rejects.toThrow(/has no run older/);
  });

  it('start an instance made to measure of the model as it is now', async () => {
    const request = await submit({ memoryBytes: 2048 * MEBIBYTE });
    await database.rows(`update model set revision = 7, image_tag = 'v7' where id = $1`, [model.id]);
    const { hints } = await claim(request);
    expect(hints.started).toEqual([{ instanceId: expect.any(String), modelId: model.id }]);
    expect(await readInstances()).toMatchObject([
      {
        id: hints.started[0]!.instanceId,
        state: 'REQUESTED',
        host: 'test',
        model_revision: 7,
        image: `models/${model.id}:v7`,
        memory_limit_bytes: 2048 * MEBIBYTE,
        memory_request_bytes: 2048 * MEBIBYTE,
        warm_seconds: 60,
        event_count: 1,
      },
    ]);
  });

  it('start instances without memory limit where the model has none', async () => {
    const unlimited = await makeModel(database, { disableMemoryLimit: true });
    await claim(await submit({ modelId: unlimited.id }));
    expect(await readInstances()).toMatchObject([{ memory_limit_bytes: null }]);
  });

  it.each([
    [-1, 4],
    [0, 0],
    [2, 2],
    [9, 4],
  ])(
    'with max_instances %s and a cap of 4 start %s instances for 6 requests',
    async (maxInstances, started) => {
      await database.rows(`update model set max_instances = $2 where id = $1`, [model.id, maxInstances]);
      for (let request = 0; request < 6; request += 1) await claim(await submit());
      expect(await readInstances()).toHaveLength(started);
      const waiting = [...(await serve()).waiting.values()];
      expect(waiting.map(({ position }) => position)).toEqual(
        Array.from({ length: 6 - started }, (_, index) => index + 1),
      );
      for (const { because } of waiting) expect(because).toMatch(/busy|full|limit is 0/);
    },
  );

  it('pass by what is too small, outdated, in use, ending or of another model', async () => {
    const other = await makeModel(database);
    await makeInstance(database, { modelId: model.id, memoryLimitBytes: 256 * MEBIBYTE });
    await makeInstance(database, { modelId: model.id, revision: 0, memoryLimitBytes: null });
    await makeInstance(database, { modelId: model.id, state: 'SHOULD_TERMINATE', memoryLimitBytes: null });
    await makeInstance(database, { modelId: other.id, memoryLimitBytes: null });
    const { hints } = await claim(await submit({ memoryBytes: 512 * MEBIBYTE }), { maxInstances: 10 });
    expect(hints.started).toHaveLength(1);
    expect(hints.retired).toEqual([]);
  });

  it('have an outdated instance replaced that stands in their way', async () => {
    await database.rows(`update model set max_instances = 1 where id = $1`, [model.id]);
    const outdated = await makeInstance(database, { modelId: model.id, revision: 0 });
    const { leaseToken, hints } = await claim(await submit());
    expect(hints).toMatchObject({ granted: [], retired: [outdated] });
    expect(await readInstances()).toMatchObject([
      { state: 'SHOULD_TERMINATE', termination_reason: 'MAKING_ROOM' },
    ]);
    expect((await serve()).retired).toEqual([]);
    await database.rows(`update model_instance set state = 'TERMINATED'`);
    expect((await serve()).granted).toMatchObject([{ leaseToken }]);
  });

  it('have the longest-idle instance retired for room when the hub is full, and only one each', async () => {
    const other = await makeModel(database);
    const [young, old] = [
      await makeInstance(database, { modelId: other.id, idleSeconds: 5 }),
      await makeInstance(database, { modelId: other.id, idleSeconds: 50 }),
    ];
    const { leaseToken, hints } = await claim(await submit(), { maxInstances: 2 });
    expect(hints).toMatchObject({ granted: [], started: [], retired: [old] });
    expect(hints.waiting.get(leaseToken)).toMatchObject({ position: 1 });
    expect((await serve({ maxInstances: 2 })).retired).toEqual([]);
    expect(await readInstances()).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: young, state: 'ACTIVE' })]),
    );
  });

  it('never overwrite why an instance is ending already', async () => {
    const other = await makeModel(database);
    const instanceId = await makeInstance(database, { modelId: other.id, idleSeconds: 50 });
    const request = await submit();
    let claiming: Promise<{ hints: ClaimHints }> | undefined;
    await database.transaction(async (sql) => {
      await sql.rows(
        `update model_instance set state = 'TERMINATING', termination_reason = 'OOMKILLED' where id = $1`,
        [instanceId],
      );
      claiming = claim(request, { maxInstances: 1 });
      await untilSomebodyWaits();
    });
    expect((await claiming!).hints.retired).toEqual([]);
    expect(await readInstances()).toMatchObject([{ state: 'TERMINATING', termination_reason: 'OOMKILLED' }]);
  });

  it('of a model that is switched off wait, and go on when it is on again', async () => {
    await database.rows(`update model set enabled = false where id = $1`, [model.id]);
    const { leaseToken, hints } = await claim(await submit());
    expect(hints.waiting.get(leaseToken)).toMatchObject({ because: expect.stringContaining('switched off') });
    await database.rows(`update model set enabled = true where id = $1`, [model.id]);
    expect((await serve()).granted).toMatchObject([{ leaseToken }]);
  });

  it('charge their user at the grant, and what was really used at the release', async () => {
    const { leaseToken } = await claim(await submit({ userId: 'ada' }));
    expect(await readLease(leaseToken)).toMatchObject({ charged_seconds: 5 });
    expect(await readUsage('ada')).toBeCloseTo(5, 1);
    const startedAt = performance.now();
    await database.rows(
      `update instance_lease set granted_at = clock_timestamp() - interval '100 seconds' where lease_token = $1`,
      [leaseToken],
    );
    await release(leaseToken);
    const used = (await readUsage('ada'))!;
    expect(used).toBeGreaterThan(99.9);
    expect(used).toBeLessThan(100.1 + (performance.now() - startedAt) / 1000);
    await release(leaseToken);
    expect(await readUsage('ada')).toBe(used);
  });

  it('forget half of what was used after an hour', async () => {
    await database.rows(
      `insert into user_usage (user_id, decayed_seconds, as_of) values ('ada', 100, clock_timestamp() - interval '1 hour')`,
    );
    const request = await submit({ userId: 'ada' });
    const startedAt = performance.now();
    const { leaseToken } = await claim(request);
    expect(await readUsage('ada')).toBeCloseTo(55, 1);
    await release(leaseToken);
    // What was held since the grant counts: next to nothing, and at most what this test took.
    const used = (await readUsage('ada'))! - 50;
    expect(used).toBeGreaterThan(-0.05);
    expect(used).toBeLessThan((performance.now() - startedAt) / 1000 + 0.05);
  });

  it.each([46, 100, 1_000])('of a user who comes back after %s days are served', async (days) => {
    await database.rows(
      `insert into user_usage (user_id, decayed_seconds, as_of)
       values ('ada', 100, clock_timestamp() - $1 * interval '1 day')`,
      [days],
    );
    const waiting = await claim(await submit({ userId: 'ada' }), { maxInstances: 0 });
    expect((await serve()).granted).toMatchObject([{ leaseToken: waiting.leaseToken }]);
    expect(await readUsage('ada')).toBeCloseTo(5, 5);
    await database.rows(
      `update user_usage set decayed_seconds = 100, as_of = clock_timestamp() - $1 * interval '1 day'`,
      [days],
    );
    await release(waiting.leaseToken);
    expect(await readUsage('ada')).toBeLessThan(1);
  });

  it('released while they wait charge nobody', async () => {
    const { leaseToken } = await claim(await submit({ userId: 'ada' }), { maxInstances: 0 });
    await release(leaseToken);
    expect(await readUsage('ada')).toBeUndefined();
    expect(await serve()).toMatchObject({ granted: [], started: [] });
  });

  it('are served by decayed use: who used less goes first, whoever came first', async () => {
    await database.rows(
      `insert into user_usage (user_id, decayed_seconds) values ('heavy', 1000), ('light', 10)`,
    );
    const tokens: Record<string, string> = {};
    for (const userId of ['heavy', 'light', 'new']) {
      tokens[userId] = (await claim(await submit({ userId }), { maxInstances: 0 })).leaseToken;
    }
    const served: string[] = [];
    for (let places = 1; places <= 3; places += 1) {
      served.push(...(await serve({ maxInstances: places })).granted.map(({ leaseToken }) => leaseToken));
    }
    expect(served).toEqual([tokens.new, tokens.light, tokens.heavy]);
  });

  it('interleave: one user’s flood does not hold up another', async () => {
    for (let request = 0; request < 20; request += 1)
      await claim(await submit({ userId: 'flood' }), { maxInstances: 0 });
    const late = await claim(await submit({ userId: 'late' }), { maxInstances: 0 });
    const { granted } = await serve({ maxInstances: 2 });
    expect(granted.map(({ leaseToken }) => leaseToken)).toContain(late.leaseToken);
  });

  it('can not hold two places by one slice, nor can two hold one instance', async () => {
    const instanceId = await makeInstance(database, { modelId: model.id });
    const [first, second] = [await submit(), await submit()];
    const { leaseToken } = await claim(first);
    await expect(
      database.rows(
        `insert into instance_lease (lease_token, request_id, run_key, slice, user_id, model_id, state, instance_id)
         values ('other', $1, $2, 0, 'user', $3, 'GRANTED', $4)`,
        [second.requestId, second.runKey, model.id, instanceId],
      ),
    ).rejects.toThrow(/instance_lease_instance/);
    await expect(
      database.rows(
        `insert into instance_lease (lease_token, request_id, run_key, slice, user_id, model_id)
         values ('other', $1, $2, 0, 'user', $3)`,
        [first.requestId, first.runKey, model.id],
      ),
    ).rejects.toThrow(/instance_lease_slice/);
    expect(await readLease(leaseToken)).toMatchObject({ state: 'GRANTED' });
  });

  it('of a released lease free the instance from now on, or end it, once', async () => {
    const instanceId = await makeInstance(database, { modelId: model.id });
    const { leaseToken } = await claim(await submit());
    const end = () => underLock((sql) => releaseLease(sql, leaseToken, { outcome: 'lost', retire: 'LOST' }));
    expect(await end()).toBe(instanceId);
    expect(await end()).toBeNull();
    expect(await readInstances()).toMatchObject([{ state: 'SHOULD_TERMINATE', termination_reason: 'LOST' }]);
  });

  it('are not held up for long by a process that froze while it served them', async () => {
    const frozen = database.transaction(async (sql) => {
      await lockClaims(sql);
      await sleep(9_000);
      await sql.rows(`select 1`);
    });
    const refusal = frozen.catch((error: Error) => error);
    await sleep(100);
    const startedAt = performance.now();
    await claim(await submit());
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(await refusal).toBeInstanceOf(Error);
  }, 20_000);

  async function untilSomebodyWaits(): Promise<void> {
    for (;;) {
      const waiting = await database.rows(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
           and query not like '%advisory%'`,
      );
      if (waiting.length > 0) return;
    }
  }
});
