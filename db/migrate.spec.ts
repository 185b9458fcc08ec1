import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import pg from 'pg';
import { migrationsList } from '../migrations/migrations-list.js';
import { freshDatabase, type TestDatabase } from '../test/support/database.js';
import { describeWith } from '../test/support/require-part.js';
import { waitUntil } from '../test/support/wait-until.js';
import { migrate } from './migrate.js';
import { retentionSettings } from './retention.config.js';

const all = migrationsList.map(({ name }) => name);

describeWith('postgres')('migrating', () => {
  let empty: TestDatabase;
  let client: pg.Client;

  beforeEach(async () => {
    empty = await freshDatabase();
    client = new pg.Client({ connectionString: empty.url });
    await client.connect();
    await wipe();
  });
  afterEach(async () => {
    await client.end();
    await empty.drop();
  });

  const wipe = () => client.query(`drop schema public cascade; create schema public`);

  const finished = async () => {
    const { rows } = await client.query<{ name: string }>(
      `select name from mikro_orm_migrations order by executed_at, name`,
    );
    return rows.map(({ name }) => name);
  };
  const partitionCount = async () => {
    const { rows } = await client.query(`select count(*)::int as count from pg_inherits
      join pg_class on pg_class.oid = inhrelid where relkind = 'r'`);
    return rows[0].count as number;
  };

  const startMigrator = (environment: Readonly<Record<string, string>> = {}) => {
    const child = spawn(process.execPath, ['dist/db/migrate.main.js'], {
      env: { PATH: process.env.PATH, DATABASE_URL: empty.url, ...environment },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output += String(chunk)));
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
    return { child, ended };
  };

  it('runs every migration in order and says which; the second time none', async () => {
    expect(await migrate(empty.url)).toEqual(all);
    expect(await migrate(empty.url)).toEqual([]);
    expect(await finished()).toEqual(all);
  });

  it('lets several at once wait for one another', async () => {
    const ran = await Promise.all([1, 2, 3, 4].map(() => migrate(empty.url)));
    expect(ran.flat()).toEqual(all);
    expect(await finished()).toEqual(all);
  });

  it('as a program tells what it did in one line', async () => {
    expect(await startMigrator().ended).toEqual({ code: 0, output: `migrated: ${all.join(', ')}\n` });
    expect(await startMigrator().ended).toEqual({ code: 0, output: 'the schema is up to date\n' });
  });

  it('as a program makes the partitions that its settings ask for', async () => {
    await startMigrator().ended;
    const before = await partitionCount();
    expect((await startMigrator({ GUEST_RETENTION_DAYS: '12' }).ended).code).toBe(0);
    // Five days more, for each of the two tables of requests.
    expect((await partitionCount()) - before).toBe(10);
    expect(await startMigrator({ GUEST_RETENTION_DAYS: '-1' }).ended).toMatchObject({
      code: 1,
      output: expect.stringContaining('GUEST_RETENTION_DAYS'),
    });
  });

  it('refuses a database of a newer hub in one sentence and leaves it as it is', async () => {
    await migrate(empty.url);
    await client.query(`insert into mikro_orm_migrations (name) values ('migration-9999-of-tomorrow')`);
    await client.query(`delete from mikro_orm_migrations where name = 'migration-0002-models'`);
    const { code, output } = await startMigrator().ended;
    expect(code).toBe(1);
    expect(output).toMatch(
      /^the database was written by another, .*\(it has migration-9999-of-tomorrow, .*start the version that wrote it.*\n$/,
    );
    expect(await finished()).not.toContain('migration-0002-models');
  });

  it('ends with a reason when there is no database', async () => {
    const { code, output } = await startMigrator({ DATABASE_URL: 'postgresql://x@127.0.0.1:1/x' }).ended;
    expect(code).toBe(1);
    expect(output).toContain('ECONNREFUSED');
  });

  it('leaves nothing half done when a migration fails', async () => {
    await client.query(`create table leader (in_the_way integer)`);
    await expect(migrate(empty.url)).rejects.toThrow(/leader/);
    const { rows } = await client.query(`select relname from pg_class where relname = 'app_user'`);
    expect(rows).toEqual([]);
    await client.query(`drop table leader`);
    expect(await migrate(empty.url)).toEqual(all);
  });

  it('takes longer than any other transaction may pause, when a big table makes it wait', async () => {
    await client.query(`begin; create table leader (in_the_way integer)`);
    const migrating = migrate(empty.url);
    await Promise.race([migrating, sleep(7_000)]);
    await client.query(`rollback`);
    expect(await migrating).toEqual(all);
  });

  it('holds nobody up behind it while somebody reads a table that it has to change, and changes it after them', async () => {
    await migrate(empty.url);
    await client.query(`alter table model_instance drop column first_call_at`);
    await client.query(`delete from mikro_orm_migrations where name = 'migration-0009-first-calls'`);
    await client.query(`begin; select from model_instance`);
    const migrating = migrate(empty.url);
    const reader = new pg.Client({ connectionString: empty.url });
    await reader.connect();
    await waitUntil('the migration to wait for the table', async () => (await waiting(reader)) || undefined, {
      withinMs: 8_000,
      everyMs: 20,
    });
    // Fails when the migration waits for as long as the table is read.
    await reader.query(`set statement_timeout = '4s'`);
    await reader.query(`select from model_instance`);
    await reader.end();
    await client.query(`rollback`);
    expect(await migrating).toEqual(['migration-0009-first-calls']);
  }, 15_000);

  const waiting = async (observer: pg.Client) => {
    const { rows } = await observer.query(
      `select 1 from pg_locks where relation = 'model_instance'::regclass and not granted`,
    );
    return rows.length > 0;
  };

  it('completes after it was killed at any moment', async () => {
    let killedHalfWay = 0;
    for (let round = 0; round < 5; round++) {
      await wipe();
      const { child, ended } = startMigrator();
      // Nothing happens before the first connection; from there on the moment is random.
      await untilConnected(child);
      await sleep(Math.random() * 250);
      child.kill('SIGKILL');
      if ((await ended).code === null) killedHalfWay++;
      await migrate(empty.url);
      expect(await finished()).toEqual(all);
      expect(await partitionCount()).toBe(expectedPartitions());
    }
    expect(killedHalfWay).toBeGreaterThan(0);
    // Five programs that start, and five migrations after them.
  }, 90_000);

  const untilConnected = (child: ChildProcess) =>
    waitUntil(
      'the migrator to connect',
      async () => {
        const { rows } = await client.query(
          `select 1 from pg_stat_activity where datname = current_database() and application_name = 'model-hub'`,
        );
        return rows.length > 0 || child.exitCode !== null ? true : undefined;
      },
      { withinMs: 15_000, everyMs: 4 },
    );

  /** A day each from today on, eight more than the age, and one for what is kept for ever; two tables of guests’ age, three of instances’. */
  function expectedPartitions(): number {
    const { GUEST_RETENTION_DAYS, INSTANCE_RETENTION_DAYS } = retentionSettings.parse({});
    return 2 * (GUEST_RETENTION_DAYS + 8 + 1 + 1) + 3 * (INSTANCE_RETENTION_DAYS + 8 + 1 + 1);
  }
});
