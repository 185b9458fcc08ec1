import { databaseSettings } from './database.config.js';
import { openDatabase, type Database } from './database.js';
import { knownMigrations } from './mikro-orm.config.js';
import { ensurePartitions } from './partitions.js';
import { retentionSettings, type RetentionSettings } from './retention.config.js';

/** A big table's new index takes minutes, and so does waiting for whoever makes it. */
const STATEMENT_TIMEOUT_MS = 600_000;

/** The database has migrations that this version of the hub does not bring, so it may not understand the rows either. */
export class NewerDatabaseError extends Error {
  constructor(unknown: readonly string[]) {
    super(
      `the database was written by another, probably newer version of the hub (it has ${unknown.join(', ')}, which ` +
        'this version does not know): start the version that wrote it, or give another HUB_DATA_DIR or DATABASE_URL',
    );
  }
}

/**
 * Brings a database to today's schema and makes the partitions it needs. Several at once are safe: the second waits.
 * @param url Postgres connection URL; the database must exist
 * @returns names of the migrations that ran
 * @throws NewerDatabaseError when a migration ran on it that this version does not know; nothing is changed then
 */
export async function migrate(
  url: string,
  retention: RetentionSettings = retentionSettings.parse({}),
): Promise<string[]> {
  const database = await openDatabase(
    databaseSettings.parse({ DATABASE_URL: url, DATABASE_STATEMENT_TIMEOUT_MS: STATEMENT_TIMEOUT_MS }),
  );
  try {
    return await migrateOpened(database, retention);
  } finally {
    await database.close();
  }
}

async function migrateOpened(database: Database, retention: RetentionSettings): Promise<string[]> {
  // Held by a connection of its own, so that migrations which commit one by one stay serialised.
  return database.transaction(async (sql) => {
    // It pauses as long as the migrations take, which is not for this connection to judge.
    await sql.rows(`set local idle_in_transaction_session_timeout = 0`);
    await sql.rows(`select pg_advisory_xact_lock(hashtext('hub migrations'))`);
    await refuseNewer(database);
    const ran = await database.orm.migrator.up();
    await database.transaction((inner) => ensurePartitions(inner, retention));
    return ran.map(({ name }) => name);
  });
}

async function refuseNewer(database: Database): Promise<void> {
  const executed = await database.orm.migrator.getExecuted();
  const unknown = executed.map(({ name }) => name).filter((name) => !knownMigrations.has(name));
  if (unknown.length > 0) throw new NewerDatabaseError(unknown);
}
