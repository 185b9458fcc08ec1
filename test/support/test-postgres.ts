import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../db/migrate.js';
import { startProcess } from '../../local/launch.js';
import { freePort } from '../../local/ports.js';
import {
  createCluster,
  createDatabase,
  databaseUrl,
  defaultPostgresUsers,
  type PostgresCluster,
  postgresLaunch,
  unsafeButQuick,
  waitForPostgres,
} from '../../local/postgres.js';

/** The migrated database that every spec's own is a copy of. */
export const templateDatabase = 'hub_template';

export interface TestPostgres {
  readonly adminUrl: string;
  /** Stops all its processes where they stand: connections are taken by the kernel, and nobody answers. @returns how they go on */
  freeze(): () => void;
  stop(): Promise<void>;
}

/** Starts the one Postgres of a test run, in a temporary folder and with a migrated template database. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'hub-test-postgres-'));
  // The unprivileged user that runs Postgres for root must be able to pass.
  await chmod(directory, 0o711);
  const cluster: PostgresCluster = {
    dataDirectory: join(directory, 'data'),
    port: await freePort(),
    password: randomBytes(12).toString('hex'),
    users: defaultPostgresUsers,
  };
  await createCluster(cluster, ['--no-sync']);
  const server = startProcess(postgresLaunch(cluster, unsafeButQuick));
  let complaints = '';
  server.stderr?.on('data', (chunk) => (complaints += String(chunk)));
  const stop = async () => {
    if (server.exitCode === null && server.kill('SIGINT')) await once(server, 'exit');
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await waitForPostgres(cluster, AbortSignal.timeout(20_000));
    await createDatabase(cluster, templateDatabase);
    await migrate(databaseUrl(cluster, templateDatabase));
  } catch (cause) {
    await stop();
    throw new Error(`the test run's Postgres could not be prepared: ${complaints.trim()}`, { cause });
  }
  return { adminUrl: databaseUrl(cluster, 'postgres'), freeze: () => freeze(server.pid!), stop };
}

function freeze(server: number): () => void {
  // The one that starts the others first, so that none is missed.
  process.kill(server, 'SIGSTOP');
  const others = readFileSync(`/proc/${server}/task/${server}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  for (const pid of others) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const pid of [...others, server]) process.kill(pid, 'SIGCONT');
  };
}
