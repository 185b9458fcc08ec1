import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readProcStat } from '../hosts/local/proc-files.js';
import { databaseUrl } from './postgres.js';
import { readStackRecord } from './stack-record.js';

/**
 * The database that a command at the terminal is meant for: that of the hub which runs on the data directory, else the
 * one that DATABASE_URL names. Where both are there and differ nobody can know which is meant.
 * @param named DATABASE_URL, for a hub whose Postgres is not its own
 * @throws Error when there is none, or there are two
 */
export function whichDatabase(directory: string, named: string | undefined): string {
  const running = databaseOfRunningHub(directory);
  if (running !== undefined && named && named !== running) {
    throw new Error(
      `two databases could be meant: DATABASE_URL names ${withoutPassword(named)}, and the hub that runs on ` +
        `${directory} has its own at ${withoutPassword(running)}. Unset DATABASE_URL to mean that hub; to mean the ` +
        'other, name a HUB_DATA_DIR on which none runs',
    );
  }
  const url = running ?? named;
  if (url) return url;
  throw new Error(`no hub runs on ${directory}: start it (npm start), or name a database in DATABASE_URL`);
}

/** A database's address as it may be printed. */
export function withoutPassword(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

function databaseOfRunningHub(directory: string): string | undefined {
  if (!existsSync(join(directory, 'stack.json'))) return undefined;
  const { ports, processes, postgresPassword } = readStackRecord(directory);
  // A hub that was killed with -9 could not take its processes off the record.
  const isRunning = processes.postgres !== undefined && readProcStat(processes.postgres) !== null;
  if (!isRunning || ports.postgres === undefined) return undefined;
  return databaseUrl({ port: ports.postgres, password: postgresPassword }, 'hub');
}
