import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { freshDatabase, type TestDatabase } from '../test/support/database.js';
import { describeWith } from '../test/support/require-part.js';
import { waitUntil } from '../test/support/wait-until.js';
import { databaseSettings } from './database.config.js';
import { openDatabase, type Database } from './database.js';
import { openNotifications, type Notifications } from './notifications.js';

/** A line to Postgres that can be cut, refuse to be had, or swallow what is said on it, as a broken network does. */
interface Line {
  readonly url: string;
  isSilent: boolean;
  isRefused: boolean;
  cut(): void;
  /** Takes nothing more from either side, as a frozen process. */
  stall(): void;
  close(): Promise<void>;
}

async function openLine(target: string, listenPort = 0): Promise<Line> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const line = { isSilent: false, isRefused: false };
  const server = createServer((near) => {
    if (line.isRefused) return void near.destroy();
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    near.on('data', (chunk) => line.isSilent || far.write(chunk)).on('close', () => far.destroy());
    far.on('data', (chunk) => line.isSilent || near.write(chunk)).on('close', () => near.destroy());
  }).listen(listenPort, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return Object.assign(line, {
    url: url.href,
    cut,
    stall() {
      for (const socket of sockets) socket.pause();
    },
    async close() {
      server.close();
      cut();
      await once(server, 'close');
    },
  });
}

/** @returns the last moment at which it was seen not to be so yet, in ms: however late it is looked at, it is not later. */
async function until(isSo: () => boolean, withinMs = 5_000): Promise<number> {
  const start = performance.now();
  for (let notYet = 0; ;) {
    const at = performance.now() - start;
    if (isSo()) return notYet;
    if (at > withinMs) throw new Error(`not so within ${withinMs} ms`);
    notYet = at;
    await sleep(20);
  }
}

describeWith('postgres')('notifications', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  const open = new Set<Notifications | Line>();
  const warnings: string[] = [];

  beforeAll(async () => {
    testDatabase = await freshDatabase();
    database = await openDatabase(databaseSettings.parse({ DATABASE_URL: testDatabase.url }));
  });
  afterEach(async () => {
    for (const each of open) await each.close();
    open.clear();
    warnings.length = 0;
  });
  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });

  const listen = (url = testDatabase.url, untakenMs?: number) => {
    const notifications = openNotifications(url, (text) => warnings.push(text), untakenMs);
    open.add(notifications);
    return notifications;
  };
  const hear = (notifications: Notifications, channel: string) => {
    const heard: (string | null)[] = [];
    const stop = notifications.on(channel, (payload) => heard.push(payload));
    return { heard, stop };
  };
  const notify = (channel: string, payload: string) =>
    database.rows(`select pg_notify($1, $2)`, [channel, payload]);
  const listeningPid = async () => {
    const [backend] = await database.rows<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'model-hub listen' and datname = current_database()`,
    );
    return backend!.pid;
  };

  it('reach every listener of their channel, and nobody else', async () => {
    const notifications = listen();
    const first = hear(notifications, 'one');
    const second = hear(notifications, 'one');
    const other = hear(notifications, 'two');
    await until(() => notifications.healthy);
    await notify('one', '7:3');
    await until(() => second.heard.includes('7:3'));
    expect(first.heard).toEqual([null, '7:3']);
    expect(second.heard).toEqual([null, '7:3']);
    expect(other.heard).toEqual([null]);
  });

  it('reach a listener that came after the connection, and none that has left', async () => {
    const notifications = listen();
    await until(() => notifications.healthy);
    const late = hear(notifications, 'late');
    const leaving = hear(notifications, 'late');
    leaving.stop();
    // Sent over and over, because the listener's own "listen" may still be on its way.
    await until(() => {
      void notify('late', 'x');
      return late.heard.length > 0;
    });
    expect(leaving.heard).toEqual([]);
  });

  it('reach listeners that came while it was connecting', async () => {
    const notifications = listen();
    // Enough of them that many come after the first and before the last was asked for.
    const hearers = Array.from({ length: 300 }, (_, index) => hear(notifications, `channel_${index}`));
    while (!notifications.healthy) {
      hearers.push(hear(notifications, `channel_${hearers.length}`));
      await sleep(1);
    }
    for (const index of hearers.keys()) await notify(`channel_${index}`, 'hello');
    await until(() => hearers.every(({ heard }) => heard.includes('hello')));
  });

  it('tell a gap after the connection was ended by the server, and go on', async () => {
    const notifications = listen();
    const { heard } = hear(notifications, 'one');
    await until(() => notifications.healthy);
    await database.rows(`select pg_terminate_backend($1)`, [await listeningPid()]);
    await until(() => heard.length === 2);
    expect(heard).toEqual([null, null]);
    await notify('one', 'after');
    await until(() => heard.at(-1) === 'after');
    expect(notifications.healthy).toBe(true);
  });

  it('are unhealthy 5 seconds after their server process froze, and recover without it', async () => {
    const notifications = listen();
    const { heard } = hear(notifications, 'one');
    await until(() => notifications.healthy);
    const pid = await listeningPid();
    process.kill(pid, 'SIGSTOP');
    try {
      expect(await until(() => !notifications.healthy, 6_000)).toBeLessThan(5_200);
      await until(() => notifications.healthy && heard.length === 2);
      await notify('one', 'after');
      await until(() => heard.at(-1) === 'after');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('are kept for nobody who takes none of them: whoever else tells something would be refused one day', async () => {
    const line = await openLine(testDatabase.url);
    open.add(line);
    const notifications = listen(line.url, 500);
    hear(notifications, 'one');
    await until(() => notifications.healthy);
    const pid = await listeningPid();
    line.stall();
    // More than the buffers on the way hold.
    await database.rows(
      `select count(pg_notify('one', number || repeat('.', 7000))) from generate_series(1, 3000) number`,
    );
    const isCutOff = async () =>
      (await database.rows(`select from pg_stat_activity where pid = $1`, [pid])).length === 0 || undefined;
    // Later the listener, which is not frozen here, would let go by itself.
    await waitUntil('Postgres to cut it off', isCutOff, { withinMs: 2_700, everyMs: 50 });
  });

  it('wait for a database that is away', async () => {
    const line = await openLine(testDatabase.url);
    await line.close();
    const notifications = listen(line.url);
    const { heard } = hear(notifications, 'one');
    await sleep(600);
    expect(notifications.healthy).toBe(false);
    expect(heard).toEqual([]);
    // Tried more than once by now, and told once.
    expect(warnings).toEqual([expect.stringContaining('ECONNREFUSED')]);
    open.add(await openLine(testDatabase.url, Number(new URL(line.url).port)));
    await until(() => notifications.healthy);
    expect(heard).toEqual([null]);
  });

  it('tell a gap after the line was cut', async () => {
    const line = await openLine(testDatabase.url);
    open.add(line);
    const notifications = listen(line.url);
    const { heard } = hear(notifications, 'one');
    await until(() => notifications.healthy);
    // Refused meanwhile: it would be had anew sooner than it is looked at.
    line.isRefused = true;
    line.cut();
    await until(() => !notifications.healthy);
    line.isRefused = false;
    await until(() => heard.length === 2 && notifications.healthy);
  });

  it('do not hang on a connection that was accepted and never answered', async () => {
    const line = await openLine(testDatabase.url);
    open.add(line);
    line.isSilent = true;
    const notifications = listen(line.url);
    const { heard } = hear(notifications, 'one');
    await sleep(500);
    expect(notifications.healthy).toBe(false);
    // Speaks again, but what was said in between is lost, as after a firewall forgot the connection.
    line.isSilent = false;
    await until(() => notifications.healthy, 7_000);
    expect(heard).toEqual([null]);
  });

  it('can be closed at any moment', async () => {
    for (const delay of [0, 1, 5, 20, 60]) {
      const notifications = openNotifications(testDatabase.url, () => undefined);
      hear(notifications, 'one');
      await sleep(delay);
      await notifications.close();
      expect(notifications.healthy).toBe(false);
    }
    await sleep(50);
    expect(
      await database.rows(
        `select pid from pg_stat_activity where application_name = 'model-hub listen' and datname = current_database()`,
      ),
    ).toEqual([]);
  });
});
