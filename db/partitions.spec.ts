import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { addDays } from '../domain/retention/plan-partitions.js';
import { freshDatabase, type TestDatabase } from '../test/support/database.js';
import { describeWith } from '../test/support/require-part.js';
import { databaseSettings } from './database.config.js';
import { openDatabase, type Database } from './database.js';
import { migrate } from './migrate.js';
import { ensurePartitions } from './partitions.js';
import { retentionSettings, type RetentionSettings } from './retention.config.js';

const requestTables = ['work_request_shard', 'work_request_event'];
const instanceTables = ['instance_event', 'instance_log', 'usage_sample'];
const AHEAD_DAYS = 8;

describeWith('postgres')('partitions', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let today: string;

  beforeAll(async () => {
    testDatabase = await freshDatabase();
    database = await openDatabase(databaseSettings.parse({ DATABASE_URL: testDatabase.url }));
    // Migrated today, which the run's template need not be when midnight has passed since.
    await database.rows(`drop schema public cascade`);
    await database.rows(`create schema public`);
    await migrate(testDatabase.url);
    [{ today }] = (await database.rows<{ today: string }>(`select current_date as today`)) as [
      { today: string },
    ];
  });
  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });

  const ensure = (given: Partial<RetentionSettings> = {}) =>
    database.transaction((sql) => ensurePartitions(sql, { ...retentionSettings.parse({}), ...given }));

  const daysOf = async (table: string) => {
    const rows = await database.rows<{ name: string }>(
      `select relname as name from pg_inherits join pg_class on oid = inhrelid
        where inhparent = $1::regclass order by relname`,
      [table],
    );
    return rows.map(({ name }) => name.slice(table.length + 1));
  };

  const insertEvent = (day: string, eventNo: number) =>
    database.rows(
      `insert into work_request_event (expires_on, request_id, event_no, type) values ($1, 1, $2, 'submitted')`,
      [day, eventNo],
    );

  it('are made by the migration for the default ages, and asking again makes none', async () => {
    expect(await ensure()).toEqual([]);
    for (const table of requestTables) expect(await daysOf(table)).toHaveLength(7 + AHEAD_DAYS + 1 + 1);
    for (const table of instanceTables) expect(await daysOf(table)).toHaveLength(30 + AHEAD_DAYS + 1 + 1);
  });

  it('take rows for every day a request can expire on, and for ever', async () => {
    for (let days = 0; days <= 7 + AHEAD_DAYS; days++) await insertEvent(addDays(today, days), days);
    await insertEvent('infinity', 99);
    await expect(insertEvent(addDays(today, 7 + AHEAD_DAYS + 1), 100)).rejects.toThrow(/no partition/);
    const [count] = await database.rows<{ homes: number }>(
      `select count(distinct tableoid) as homes from work_request_event`,
    );
    expect(count!.homes).toBe(7 + AHEAD_DAYS + 1 + 1);
  });

  it('follow the age of their own table only', async () => {
    const made = await ensure({ REGISTERED_RETENTION_DAYS: 20 });
    expect(made.map((name) => name.replace(/_\d{8}$/, ''))).toEqual([
      ...Array<string>(13).fill('work_request_shard'),
      ...Array<string>(13).fill('work_request_event'),
    ]);
    await insertEvent(addDays(today, 20 + AHEAD_DAYS), 1000);
  });

  it('need no day for what is kept for ever', async () => {
    expect(await ensure({ GUEST_RETENTION_DAYS: 0, REGISTERED_RETENTION_DAYS: 0 })).toEqual([]);
  });

  it('reach further by months when the age becomes 90 days, and stay when it goes back', async () => {
    const made = await ensure({ GUEST_RETENTION_DAYS: 90, INSTANCE_RETENTION_DAYS: 90 });
    expect(made.some((name) => /_\d{6}m$/.test(name))).toBe(true);
    await insertEvent(addDays(today, 90 + AHEAD_DAYS), 1001);
    expect(await ensure()).toEqual([]);
  });

  it('are pruned to one when the day is given', async () => {
    const plan = await database.rows<Record<string, string>>(
      `explain select * from work_request_event where expires_on = $1 and request_id = 1`,
      [today],
    );
    const text = plan.map((line) => line['QUERY PLAN']).join('\n');
    const named = new Set(text.match(/work_request_event_\w+?(?=_pkey|\b)/g));
    expect([...named]).toEqual([`work_request_event_${today.replaceAll('-', '')}`]);
  });

  it('have the primary key of their table, and store shards without compressing them again', async () => {
    const rows = await database.rows<{ name: string; storage: string; keys: number }>(
      `select c.relname as name, string_agg(attstorage::text, '' order by attname) as storage,
         (select count(*) from pg_index where indrelid = c.oid and indisprimary) as keys
       from pg_inherits join pg_class c on c.oid = inhrelid join pg_attribute on attrelid = c.oid
       where inhparent = 'work_request_shard'::regclass and attname in ('input', 'result') group by c.oid`,
    );
    expect(rows.length).toBeGreaterThan(7);
    for (const row of rows) expect(row).toEqual({ name: row.name, storage: 'ee', keys: 1 });
  });
});

describeWith('postgres')('partitions made while the hub works', () => {
  let testDatabase: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    testDatabase = await freshDatabase();
    database = await openDatabase(databaseSettings.parse({ DATABASE_URL: testDatabase.url }));
  });
  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });

  const ensure = (days: number) =>
    database.transaction((sql) =>
      ensurePartitions(sql, { ...retentionSettings.parse({}), GUEST_RETENTION_DAYS: days }),
    );

  it('do not wait for a transaction that writes and has not ended', async () => {
    await database.transaction(async (sql) => {
      await sql.rows(
        `insert into work_request_event (expires_on, request_id, event_no, type)
         values (current_date, 1, 1, 'submitted')`,
      );
      expect(await ensure(40)).not.toEqual([]);
    });
  }, 5_000);

  it('keep nobody from writing before they are committed', async () => {
    await database.transaction(async (sql) => {
      await ensurePartitions(sql, { ...retentionSettings.parse({}), GUEST_RETENTION_DAYS: 100 });
      await database.rows(
        `insert into work_request_event (expires_on, request_id, event_no, type)
         values (current_date, 1, 2, 'submitted')`,
      );
    });
  }, 5_000);

  it('are made once when several ask at the same moment', async () => {
    const made = (await Promise.all(Array.from({ length: 5 }, () => ensure(200)))).flat();
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made).size).toBe(made.length);
  });
});
