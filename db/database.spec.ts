import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freshDatabase, type TestDatabase } from '../test/support/database.js';
import { describeWith } from '../test/support/require-part.js';
import { databaseSettings } from './database.config.js';
import { openDatabase, type Database } from './database.js';
import { AppUser } from './entities/app-user.entity.js';

describeWith('postgres')('the database', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let other: Database;

  beforeAll(async () => {
    testDatabase = await freshDatabase();
    const open = () =>
      openDatabase(databaseSettings.parse({ DATABASE_URL: testDatabase.url, DATABASE_POOL_MAX_SIZE: '2' }));
    [database, other] = await Promise.all([open(), open()]);
    await database.rows(`create table kept (value integer primary key)`);
  });
  afterAll(async () => {
    await Promise.all([database.close(), other.close()]);
    await testDatabase.drop();
  });

  const keptValues = async () =>
    (await database.rows<{ value: number }>(`select value from kept order by value`)).map(
      ({ value }) => value,
    );
  const killBackend = (pid: number) => other.rows(`select pg_terminate_backend($1)`, [pid]);

  it('gives numbers for bigint, wire instants for times, text for dates, buffers for bytes', async () => {
    const [row] = await database.rows(
      `select 9007199254740991::bigint as id, '2026-02-03 04:05:06.2+02'::timestamptz as at,
         '2026-02-03'::date as day, 'infinity'::date as never, '\\x0102'::bytea as bytes,
         '{"a": [1]}'::jsonb as json, null::bigint as nothing, 1.5::float8 as half`,
    );
    expect(row).toEqual({
      id: 9007199254740991,
      at: '2026-02-03T02:05:06.200000Z',
      day: '2026-02-03',
      never: 'infinity',
      bytes: Buffer.from([1, 2]),
      json: { a: [1] },
      nothing: null,
      half: 1.5,
    });
  });

  it('goes on after a migration changed what a statement gives', async () => {
    await database.rows(`create table migrated (value integer)`);
    await database.rows(`insert into migrated values (1)`);
    const read = () => database.rows(`select * from migrated`);
    const readInTransaction = () => database.transaction((sql) => sql.rows(`select * from migrated`));
    for (let round = 0; round < 4; round += 1) await Promise.all([read(), readInTransaction()]);
    await other.rows(`alter table migrated add column more text`);
    // Each of the two connections may fail once, as one that was cut would; it is not used again.
    for (let round = 0; round < 2; round += 1) await Promise.allSettled([read(), readInTransaction()]);
    expect(await read()).toEqual([{ value: 1, more: null }]);
    expect(await readInTransaction()).toEqual([{ value: 1, more: null }]);
  });

  it('lives in UTC, whatever the server thinks', async () => {
    const name = new URL(testDatabase.url).pathname.slice(1);
    await database.rows(`alter database ${name} set timezone = 'Asia/Tokyo'`);
    const tokyo = await openDatabase(databaseSettings.parse({ DATABASE_URL: testDatabase.url }));
    try {
      expect(await tokyo.rows(`select current_setting('timezone') as zone`)).toEqual([{ zone: 'UTC' }]);
    } finally {
      await tokyo.close();
      await database.rows(`alter database ${name} reset timezone`);
    }
  });

  it('binds parameters and never reads them as SQL', async () => {
    const text = `'; drop table kept; --`;
    expect(await database.rows(`select $1::text as text, $2::integer[] as list`, [text, [1, 2]])).toEqual([
      { text, list: [1, 2] },
    ]);
    expect(await keptValues()).toEqual([]);
  });

  it('plans what was put together from a question for its values each time, however often it is asked', async () => {
    const text = `select count(*)::integer as count from generate_series(1, $1::integer)`;
    await database.transaction(async (sql) => {
      for (let count = 1; count <= 8; count += 1)
        expect(await sql.composed({ text, params: [count] })).toEqual([{ count }]);
      expect(await sql.rows(`select from pg_prepared_statements where statement = $1`, [text])).toEqual([]);
    });
  });

  it('commits what a transaction did and gives its result', async () => {
    const result = await database.transaction(async (sql) => {
      await sql.rows(`insert into kept values (1)`);
      return 'done';
    });
    expect(result).toBe('done');
    expect(await keptValues()).toEqual([1]);
  });

  it('rolls back and throws the first error when the work fails', async () => {
    const failing = database.transaction(async (sql) => {
      await sql.rows(`insert into kept values (2)`);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await keptValues()).toEqual([1]);
  });

  it('rolls back when a statement fails, even if the work goes on regardless', async () => {
    const failing = database.transaction(async (sql) => {
      await sql.rows(`insert into kept values (3)`);
      await sql.rows(`insert into kept values (1)`).catch(() => undefined);
      await sql.rows(`insert into kept values (4)`);
    });
    await expect(failing).rejects.toThrow(/transaction is aborted/);
    expect(await keptValues()).toEqual([1]);
  });

  it('never says "committed" of a transaction that Postgres rolled back', async () => {
    const swallowing = database.transaction(async (sql) => {
      await sql.rows(`insert into kept values (5)`);
      await sql.rows(`insert into kept values (1)`).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow(/rolled back/);
    expect(await keptValues()).toEqual([1]);
  });

  it('throws a connection away that broke within a transaction, and works on', async () => {
    let pid = 0;
    const broken = database.transaction(async (sql) => {
      const [backend] = await sql.rows<{ pid: number }>(`select pg_backend_pid() as pid`);
      pid = backend!.pid;
      await sql.rows(`insert into kept values (6)`);
      await killBackend(pid);
      await sql.rows(`select 1`);
    });
    await expect(broken).rejects.toThrow(/terminat|closed|not queryable/i);
    const pids = await Promise.all(
      [1, 2, 3, 4].map(() => database.rows<{ pid: number }>(`select pg_backend_pid() as pid`)),
    );
    expect(pids.flat().map((row) => row.pid)).not.toContain(pid);
    expect(await keptValues()).toEqual([1]);
  });

  it('outlives connections that are cut while nobody uses them', async () => {
    const [backend] = await database.rows<{ pid: number }>(`select pg_backend_pid() as pid`);
    // Waits until it is gone: one that is only told to go may still be handed out.
    await other.rows(`select pg_terminate_backend($1, 5000)`, [backend!.pid]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await database.rows(`select 1 as one`)).toEqual([{ one: 1 }]);
  });

  it('gives every connection back: a pool of two serves twenty transactions, half of which fail', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        database.transaction(async (sql) => {
          await sql.rows(`select pg_sleep(0.005)`);
          if (index % 2 === 1) throw new Error('odd');
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
  });

  it('gives up a statement that runs too long', async () => {
    const hasty = await openDatabase(
      databaseSettings.parse({ DATABASE_URL: testDatabase.url, DATABASE_STATEMENT_TIMEOUT_MS: '100' }),
    );
    try {
      await expect(hasty.rows(`select pg_sleep(5)`)).rejects.toThrow(/statement timeout/);
    } finally {
      await hasty.close();
    }
  });

  it('opens while Postgres is away', async () => {
    const away = await openDatabase(
      databaseSettings.parse({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' }),
    );
    await expect(away.rows(`select 1`)).rejects.toThrow(/ECONNREFUSED/);
    await away.close();
  });

  it('shows its rows to the ORM as entities', async () => {
    const em = database.entityManager();
    const user = em.create(AppUser, {
      kind: 'registered',
      username: 'Marie',
      firstName: 'Marie',
      lastName: 'Curie',
    });
    await em.flush();
    expect(user.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(await database.rows(`select username, kind from app_user where id = $1`, [user.id])).toEqual([
      { username: 'Marie', kind: 'registered' },
    ]);
    const again = database.entityManager();
    again.create(AppUser, { kind: 'registered', username: 'MARIE', firstName: 'M', lastName: 'C' });
    await expect(again.flush()).rejects.toThrow(/app_user_username/);
  });
});
