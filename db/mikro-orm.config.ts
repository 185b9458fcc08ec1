import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, type Options } from '@mikro-orm/postgresql';
import { CutOffClient } from './cut-off-client.js';
import type { DatabaseSettings } from './database.config.js';
import { entities } from './entities/entities.js';
import { migrationsList } from '../migrations/migrations-list.js';

/**
 * No transaction of the hub pauses for longer than it takes to compute in memory: one that does belongs to a frozen
 * process, and what it locked (the claims, the leader's row) must not wait for its thaw.
 */
const IDLE_TRANSACTION_MS = 5_000;
/** Postgres is slower than this to give up a statement only when it is frozen or out of reach. */
const GIVING_UP_MS = 1_000;
/** How long a new connection may take to come about, or one of the pool to come free. */
const CONNECT_MS = 5_000;

/** Names of the migrations that this version of the hub brings. */
export const knownMigrations: ReadonlySet<string> = new Set(migrationsList.map(({ name }) => name));

/** How the ORM sees the database: entities for light tables, migrations as a list so that no folder is searched. */
export function ormOptions(settings: DatabaseSettings, lockTimeoutMs: number): Options {
  const silenceMs = settings.DATABASE_STATEMENT_TIMEOUT_MS + GIVING_UP_MS;
  return defineConfig({
    clientUrl: settings.DATABASE_URL,
    entities,
    extensions: [Migrator],
    forceUtcTimezone: true,
    colors: false,
    discovery: { warnWhenNoEntities: false },
    pool: { min: 0, max: settings.DATABASE_POOL_MAX_SIZE, idleTimeoutMillis: 30_000 },
    driverOptions: {
      application_name: 'model-hub',
      options: `-c timezone=UTC -c idle_in_transaction_session_timeout=${IDLE_TRANSACTION_MS}`,
      statement_timeout: settings.DATABASE_STATEMENT_TIMEOUT_MS,
      lock_timeout: lockTimeoutMs,
      query_timeout: silenceMs,
      connectionTimeoutMillis: Math.min(CONNECT_MS, silenceMs),
      Client: CutOffClient,
      keepAlive: true,
    },
    // Partitions are made by statements of the hub, outside the ORM's view.
    schemaGenerator: { skipTables: [/_(\d{8}|\d{6}m|infinity)$/] },
    migrations: { migrationsList, snapshot: false, transactional: true, allOrNothing: false, silent: true },
  });
}
