import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { migrationsList } from '../migrations/migrations-list.js';
import { freshDatabase, type TestDatabase } from '../test/support/database.js';
import { describeWith } from '../test/support/require-part.js';
import { databaseSettings } from './database.config.js';
import { openDatabase, type Database } from './database.js';
import { entities } from './entities/entities.js';
import { migrate } from './migrate.js';

describeWith('postgres')('the schema', () => {
  let testDatabase: TestDatabase;
  let database: Database;

  beforeEach(async () => {
    testDatabase = await freshDatabase();
    database = await openDatabase(databaseSettings.parse({ DATABASE_URL: testDatabase.url }));
  });
  afterEach(async () => {
    await database.close();
    await testDatabase.drop();
  });

  /** What the ORM would change so that the tables are what the entities say. */
  const drift = () => database.orm.schema.getUpdateSchemaSQL({ wrap: false });
  const tables = async () => {
    const rows = await database.rows<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace
         and relkind in ('r', 'p') and not relispartition and relname <> 'mikro_orm_migrations' order by relname`,
    );
    return rows.map(({ name }) => name);
  };

  it('is what the entities say, after all migrations', async () => {
    expect(await drift()).toBe('');
  });

  it('has no table without an entity', async () => {
    const metadata = database.orm.getMetadata();
    const described = entities.map((entity) => metadata.getByClassName(entity.name).tableName);
    expect(await tables()).toEqual(described.sort());
  });

  it('would be seen to drift by a column, an index or a state too many', async () => {
    await database.rows(`alter table leader add column extra text`);
    await database.rows(`drop index work_request_open`);
    await database.rows(`alter table model_instance drop constraint model_instance_state_check`);
    const changes = await drift();
    expect(changes).toContain('"leader" drop column "extra"');
    expect(changes).toContain('work_request_open');
    expect(changes).toContain('model_instance_state_check');
  });

  it('says nothing of a partition that was detached and not yet dropped', async () => {
    const [partition] = await database.rows<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits
        where inhparent = 'work_request_event'::regclass order by 1 limit 1`,
    );
    await database.rows(`alter table work_request_event detach partition ${partition!.name}`);
    expect(await drift()).toBe('');
  });

  it('goes down by every migration, one by one, to nothing, and up again', async () => {
    const before = await tables();
    for (const { name } of migrationsList.toReversed()) {
      const undone = await database.orm.migrator.down();
      expect(undone.map((migration) => migration.name)).toEqual([name]);
    }
    expect(await tables()).toEqual([]);
    expect(await migrate(testDatabase.url)).toEqual(migrationsList.map(({ name }) => name));
    expect(await tables()).toEqual(before);
    expect(await drift()).toBe('');
  });

  it('goes down and up again by each migration alone', async () => {
    for (const { name } of migrationsList.toReversed()) {
      await database.orm.migrator.down();
      const again = await database.orm.migrator.up({ to: name });
      expect(again.map((migration) => migration.name)).toEqual([name]);
      await database.orm.migrator.down();
    }
    expect(await tables()).toEqual([]);
  });
});
