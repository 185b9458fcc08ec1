import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { readProcStat } from '../hosts/local/proc-files.js';
import { describeWith } from '../test/support/require-part.js';
import { freePort } from './ports.js';
import { createCluster, databaseUrl, defaultPostgresUsers, type PostgresCluster } from './postgres.js';
import { postgresChild } from './stack-children.js';
import { Supervisor } from './supervisor.js';

let folder = '';
let cluster: PostgresCluster;
let supervisor: Supervisor;
let pid = 0;
let lines: string[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hub-postgres-'));
  cluster = {
    dataDirectory: join(folder, 'postgres'),
    port: await freePort(),
    password: 'only for this test',
    users: defaultPostgresUsers,
  };
  lines = [];
  supervisor = new Supervisor({
    line: (_name, text) => lines.push(text),
    processes: (pids) => (pid = pids.postgres ?? 0),
  });
});
afterEach(async () => {
  await supervisor.stop();
  rmSync(folder, { recursive: true });
});

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl(cluster, 'postgres') });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function untilServesAgain(): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!lines.some((line) => line.includes('serves again'))) {
    if (performance.now() > deadline) throw new Error(`Postgres does not serve again: ${lines.join('\n')}`);
    await sleep(20);
  }
}

describeWith('postgres')("the hub's Postgres", () => {
  it('keeps what was committed when its server is killed with -9 while it computes', async () => {
    await supervisor.start(postgresChild(cluster, 90));
    const client = await connect();
    await client.query('create table kept (id integer)');
    await client.query('insert into kept values (1)');
    const busy = await connect();
    // A query that never looks whether its server is still there keeps the next server from starting.
    const computing = busy.query('select count(*) from generate_series(1, 1e12)').catch(() => undefined);
    await sleep(200);
    process.kill(pid, 'SIGKILL');
    await untilServesAgain();
    await computing;
    const again = await connect();
    expect((await again.query('select id from kept')).rows).toEqual([{ id: 1 }]);
    await Promise.all([client, busy, again].map((one) => one.end().catch(() => undefined)));
  }, 60_000);

  it('ends with its children when it is stopped while clients are connected', async () => {
    await supervisor.start(postgresChild(cluster, 90));
    const client = await connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    // What the disk takes for new files is not what is measured.
    await client.query('checkpoint');
    const before = performance.now();
    await supervisor.stop();
    expect(performance.now() - before).toBeLessThan(3000);
    expect(readProcStat(rows[0]?.pid ?? 0)).toBeNull();
    await client.end().catch(() => undefined);
  }, 30_000);

  it('refuses files of another version', async () => {
    await createCluster(cluster, ['--no-sync']);
    writeFileSync(join(cluster.dataDirectory, 'PG_VERSION'), '15\n');
    await expect(supervisor.start(postgresChild(cluster, 90))).rejects.toThrow(
      `the database in ${cluster.dataDirectory} was written by Postgres 15, this hub brings 18`,
    );
  });

  it('starts in a folder that is closed to the user it runs as', async () => {
    chmodSync(folder, 0o700);
    await supervisor.start(postgresChild(cluster, 90));
    expect(existsSync(join(cluster.dataDirectory, 'postmaster.pid'))).toBe(true);
  });

  it('begins again where creating its files was interrupted', async () => {
    await createCluster(cluster, ['--no-sync']);
    rmSync(cluster.dataDirectory, { recursive: true });
    writeFileSync(`${cluster.dataDirectory}.new`, 'half');
    await createCluster(cluster, ['--no-sync']);
    expect(readdirSync(folder)).toEqual(['postgres']);
  });
});
