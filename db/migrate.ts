import { setTimeout as sleep } from 'node:timers/promises';
import { databaseSettings } from './database.config.js';
import { openDatabase, type Database } from './database.js';
import { knownMigrations } from './mikro-orm.config.js';
import { ensurePartitions } from './partitions.js';
import { retentionSettings, type RetentionSettings } from './retention.config.js';

/** A big table's new index takes minutes, and so does waiting for whoever makes it. */
const STATEMENT_TIMEOUT_MS = 600_000;
/**
 * Who waits to change a table holds up everybody behind it, readers too: behind a backup that reads the table for an hour
 * the whole hub would stand still. So a migration gives way after this long, and comes again.
 */
const LOCK_TIMEOUT_MS = 1_000;
const GIVE_WAY_MS = 1_000;
const LOCK_NOT_AVAILABLE = '55P03';

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
    LOCK_TIMEOUT_MS,
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
    await sql.rows(`set local lock_timeout = 0`);
    await sql.rows(`select pg_advisory_xact_lock(hashtext('hub migrations'))`);
    const before = await readExecuted(database);
    const unknown = before.filter((name) => !knownMigrations.has(name));
    if (unknown.length > 0) throw new NewerDatabaseError(unknown);
    await givingWay(() => database.orm.migrator.up());
    await givingWay(() => database.transaction((inner) => ensurePartitions(inner, retention)));
    return (await readExecuted(database)).filter((name) => !before.includes(name));
  });
}

async function readExecuted(database: Database): Promise<string[]> {
  const executed = await database.orm.migrator.getExecuted();
  return executed.map(({ name }) => name);
}

/** Does the work anew, as far as it is not done, for as long as somebody holds what it has to change. */
async function givingWay(work: () => Promise<unknown>): Promise<void> {
  const untilMs = performance.now() + STATEMENT_TIMEOUT_MS;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isHeldByOthers(error) || performance.now() > untilMs) throw error;
      await sleep(GIVE_WAY_MS);
    }
  }
}

/** The ORM wraps what the driver says. */
function isHeldByOthers(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  return code === LOCK_NOT_AVAILABLE || (cause !== undefined && isHeldByOthers(cause));
}
