import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Database, Sql } from '../../db/database.js';
import { lockClaims, serveClaims, type ClaimHints, type ClaimSettings } from '../../db/queries/claims.js';
import { insertClaim, releaseLease } from '../../db/queries/leases.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeModel } from '../factories/make-model.js';
import { makeRequest, type MadeRequest } from '../factories/make-request.js';
import { openAnotherPool, openTestDatabase } from '../support/open-test-database.js';
import { describeWith } from '../support/require-part.js';

describeWith('postgres')('many claims', () => {
  const cap = 4;
  const connectionsPerPool = 10;
  const settings: ClaimSettings = {
    maxInstances: cap,
    patienceSeconds: 0.05,
    hostKind: 'test',
    instanceRetentionDays: 1,
  };
  let database: Database;
  const pools: Database[] = [];

  beforeAll(async () => {
    database = await openTestDatabase();
    for (let pool = 0; pool < 4; pool += 1) pools.push(await openAnotherPool(database, connectionsPerPool));
  });
  afterAll(async () => {
    for (const pool of pools) await pool.close();
    await database.close();
  });
  beforeEach(async () => {
    for (const table of ['instance_lease', 'model_instance', 'work_request', 'user_usage', 'model'])
      await database.rows(`delete from ${table}`);
  });

  const underLock = <Result>(pool: Database, work: (sql: Sql) => Promise<Result>) =>
    pool.transaction(async (sql) => {
      await lockClaims(sql);
      return work(sql);
    });
  const readDeadlocks = async () =>
    (
      await database.rows<{ deadlocks: number }>(
        `select deadlocks from pg_stat_database where datname = current_database()`,
      )
    )[0]!.deadlocks;

  /** The highest number of these spans that hold at one moment; an end at a start's very moment is before it. */
  const mostAtOnce = (spans: readonly { from: string; to: string }[]) => {
    const turns = spans.flatMap(({ from, to }) => [
      { at: from, by: 1 },
      { at: to, by: -1 },
    ]);
    let now = 0;
    let most = 0;
    for (const { by } of turns.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.by - b.by)))
      most = Math.max(most, (now += by));
    return most;
  };

  /** Workers as the hub has them: told of grants and retirements, each on a pool of its own. */
  class Workers {
    readonly #granted = new Map<string, () => void>();
    readonly ending: Promise<void>[] = [];
    /** As many transactions as there are connections; nobody is turned away for want of one. */
    readonly #connections = pools.flatMap((pool) => Array.from({ length: connectionsPerPool }, () => pool));
    readonly #queue: ((pool: Database) => void)[] = [];

    async process(request: MadeRequest): Promise<void> {
      const heard = Promise.withResolvers<void>();
      const leaseToken = await this.do(async (sql) => {
        const token = await insertClaim(sql, request, 0);
        this.#granted.set(token, heard.resolve);
        return token;
      });
      await heard.promise;
      await sleep(Math.random() * 4);
      await this.do((sql) => releaseLease(sql, leaseToken, { outcome: 'finished' }));
    }

    async do<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
      const pool =
        this.#connections.pop() ?? (await new Promise<Database>((resolve) => this.#queue.push(resolve)));
      try {
        const { result, hints } = await underLock(pool, async (sql) => {
          const done = await work(sql);
          return { result: done, hints: await serveClaims(sql, settings) };
        });
        this.#hear(hints);
        return result;
      } finally {
        const next = this.#queue.shift();
        if (next) next(pool);
        else this.#connections.push(pool);
      }
    }

    #hear(hints: ClaimHints): void {
      for (const { leaseToken } of hints.granted) this.#granted.get(leaseToken)!();
      for (const id of hints.retired) this.ending.push(this.#finish(id));
    }

    async #finish(id: string): Promise<void> {
      await sleep(Math.random() * 10);
      await this.do((sql) =>
        sql.rows(
          `update model_instance set state = 'TERMINATED', terminated_at = clock_timestamp() where id = $1`,
          [id],
        ),
      );
    }
  }

  it('of 200 requests, ten users, three models and four processes share four places, and all are served', async () => {
    const models = await Promise.all([2, 2, -1].map((maxInstances) => makeModel(database, { maxInstances })));
    const requests: MadeRequest[] = [];
    for (let index = 0; index < 200; index += 1) {
      requests.push(
        await makeRequest(database, {
          modelId: models[index % 3]!.id,
          userId: `user-${index % 10}`,
          state: 'SCHEDULING',
        }),
      );
    }
    const workers = new Workers();
    const reconciling = setInterval(() => void workers.do(async () => undefined), 100);
    try {
      await Promise.all(requests.map((request) => workers.process(request)));
    } finally {
      clearInterval(reconciling);
    }
    // What is heard meanwhile may end more of them.
    for (let count = -1; count !== workers.ending.length;) {
      count = workers.ending.length;
      await Promise.all(workers.ending);
      await workers.do(async () => undefined);
    }

    const leases = await database.rows<{ state: string; instance_id: string; from: string; to: string }>(
      `select state, instance_id, granted_at as from, released_at as to from instance_lease`,
    );
    expect(leases).toHaveLength(200);
    expect(leases.filter(({ state }) => state !== 'RELEASED')).toEqual([]);
    for (const [, spans] of Map.groupBy(leases, ({ instance_id }) => instance_id))
      expect(mostAtOnce(spans)).toBe(1);
    const places = await database.rows<{ model_id: string; from: string; to: string | null }>(
      `select model_id, created_at as from, terminated_at as to from model_instance`,
    );
    const spans = places.map((place) => ({ ...place, to: place.to ?? '9999' }));
    expect(mostAtOnce(spans)).toBeLessThanOrEqual(cap);
    for (const { id, maxInstances } of models) {
      const own = spans.filter(({ model_id }) => model_id === id);
      expect(own.length).toBeGreaterThan(0);
      if (maxInstances > 0) expect(mostAtOnce(own)).toBeLessThanOrEqual(maxInstances);
    }
    expect(await readDeadlocks()).toBe(0);
  }, 60_000);

  const insertWaiting = (userId: string, modelId: string, count: number, secondsAgo: number) =>
    database.rows(
      `insert into instance_lease (lease_token, request_id, run_key, slice, user_id, model_id, requested_at)
       select $1 || '-' || number, number, $1, 0, $1, $2, clock_timestamp() - ($4 - number * 0.001) * interval '1 second'
         from generate_series(1, $3::int) number`,
      [userId, modelId, count, secondsAgo],
    );

  it('of one user, 5,000 of them, do not hold up one of another, and are counted quickly', async () => {
    const model = await makeModel(database, { maxInstances: 1 });
    await insertWaiting('flood', model.id, 5_000, 100);
    await insertWaiting('late', model.id, 1, 0);
    await database.rows(`analyze instance_lease`);
    const times: number[] = [];
    let served: string[] = [];
    for (let pass = 0; pass < 10; pass += 1) {
      const startedAt = performance.now();
      const { granted } = await underLock(database, (sql) => serveClaims(sql, settings));
      times.push(performance.now() - startedAt);
      served = [...served, ...granted.map(({ leaseToken }) => leaseToken)];
      for (const { leaseToken } of granted)
        await underLock(database, (sql) => releaseLease(sql, leaseToken, { outcome: 'finished' }));
      if (served.includes('late-1')) break;
    }
    expect(served.length).toBeLessThanOrEqual(2);
    expect(served).toContain('late-1');
    expect(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]).toBeLessThan(1_000);
  });

  it('are all served in the end, also those that are in no list of first ones', async () => {
    const model = await makeModel(database, { maxInstances: 1 });
    await makeInstance(database, { modelId: model.id });
    await insertWaiting('early', model.id, 70, 100);
    await insertWaiting('late', model.id, 10, 0);
    const served: string[] = [];
    for (let pass = 0; pass < 80; pass += 1) {
      const { granted } = await underLock(database, (sql) => serveClaims(sql, settings));
      expect(granted).toHaveLength(1);
      const { leaseToken } = granted[0]!;
      served.push(leaseToken);
      // Users share by time: beside a second it does not matter how long this machine takes for each.
      await database.rows(
        `update instance_lease set granted_at = granted_at - interval '1 second' where lease_token = $1`,
        [leaseToken],
      );
      await underLock(database, (sql) => releaseLease(sql, leaseToken, { outcome: 'finished' }));
    }
    const ownOrder = (user: string) =>
      served.filter((token) => token.startsWith(user)).map((token) => Number(token.split('-')[1]));
    expect(ownOrder('early')).toEqual(Array.from({ length: 70 }, (_, index) => index + 1));
    expect(ownOrder('late')).toEqual(Array.from({ length: 10 }, (_, index) => index + 1));
    // By arrival alone it would be 79th.
    expect(served.indexOf('late-10')).toBeLessThan(25);
  });
});
