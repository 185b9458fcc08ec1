import { databaseSettings } from './database.config.js';
import { openDatabase, type Database } from './database.js';
import { ensurePartitions } from './partitions.js';
import { retentionSettings, type RetentionSettings } from './retention.config.js';

/** A big table's new index takes minutes, and so does waiting for whoever makes it. */
const STATEMENT_TIMEOUT_MS = 600_000;

/**
 * Brings a database to today's schema and makes the partitions it needs. Several at once are safe: the second waits.
 * @param url Postgres connection URL; the database must exist
 * @returns names of the migrations that ran
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
    const ran = await database.orm.migrator.up();
    await database.transaction((inner) => ensurePartitions(inner, retention));
    return ran.map(({ name }) => name);
  });
}
