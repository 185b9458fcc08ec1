import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalSettings } from './local.config.js';
import { databaseUrl } from './postgres.js';
import { readStackRecord } from './stack-record.js';

/**
 * The database of the hub that runs on the data directory.
 * @throws Error when none runs there.
 */
export function runningDatabaseUrl(settings: Pick<LocalSettings, 'HUB_DATA_DIR'>): string {
  const directory = settings.HUB_DATA_DIR;
  const record = existsSync(join(directory, 'stack.json')) ? readStackRecord(directory) : undefined;
  const port = record?.ports.postgres;
  if (record?.processes.postgres === undefined || port === undefined) {
    throw new Error(
      `no hub runs on ${directory}: start it (npm start), or name its database in DATABASE_URL`,
    );
  }
  return databaseUrl({ port, password: record.postgresPassword }, 'hub');
}
