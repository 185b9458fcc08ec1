import { afterEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readProcFile } from '../../hosts/local/proc-files.js';
import type { ObservedInstance } from '../../hosts/model-host.js';
import { waitUntil } from '../support/wait-until.js';
import { askFixture, isAlive, type LocalTestHost, startLocalTestHost, untilDead } from './local-test-host.js';
import { type RecordedWatch, recordWatch } from './record-watch.js';

/** What becomes of instances, clients and the data folder when the local host ends, in every way it can. */
describe('when the local host ends', () => {
  let host: LocalTestHost;
  let watch: RecordedWatch;
  const begin = async (settings: Record<string, string> = {}) => {
    host = await startLocalTestHost(settings);
    watch = recordWatch(host.client);
  };
  afterEach(async () => {
    watch.close();
    await host.close();
  });
  const startReady = async (model = 'serves') => {
    const created = await host.client.createInstance(host.spec(model));
    return watch.until(created, (instance) => instance.ready);
  };
  const pidOf = async (instance: ObservedInstance) =>
    ((await askFixture(instance, '/about')) as { pid: number }).pid;

  it('by kill -9, its instances and all they started end at once; the next host reports them lost', async () => {
    await begin();
    const ready = await startReady();
    const { child, stray } = (await askFixture(ready, '/fault/spawn')) as { child: number; stray: number };
    const pids = [await pidOf(ready), child, stray];
    await host.usageSince(ready, Date.now());
    await host.end('SIGKILL');
    await untilDead(pids);
    await host.start();
    const lost = await watch.until(ready, (instance) => instance.lastTermination?.reason === 'HostLost');
    expect(lost).toMatchObject({ phase: 'Failed', ready: false, uid: ready.uid });
    expect(lost.resourceVersion).toBeGreaterThan(ready.resourceVersion);
    expect(await host.client.readLogs(ready.instanceId)).toContain('fixture model serves');
    expect(await host.client.deleteInstance(lost.instanceId, lost.uid)).toEqual({ deleted: true });
    await watch.untilGone(lost);
  });

  it('and its watchdog with it, the next host ends the leftovers and nobody else', async () => {
    await begin();
    const ready = await startReady();
    const { child, stray } = (await askFixture(ready, '/fault/spawn')) as { child: number; stray: number };
    const pids = [await pidOf(ready), child, stray];
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
    process.kill(host.pid(), 'SIGSTOP');
    process.kill(await watchdogOf(host.pid()), 'SIGKILL');
    await host.end('SIGKILL');
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    await host.start();
    await untilDead(pids);
    expect(isAlive(bystander.pid ?? 0)).toBe(true);
    bystander.kill();
  });

  it('by SIGTERM, its instances end first and are reported lost by the next', async () => {
    await begin();
    const [ready, stubborn] = [await startReady(), await startReady('ignores-sigterm')];
    const pids = [await pidOf(ready), await pidOf(stubborn)];
    expect(await host.end('SIGTERM')).toBe(0);
    expect(pids.map(isAlive)).toEqual([false, false]);
    await host.start();
    const lost = await watch.until(stubborn, (instance) => instance.lastTermination?.reason === 'HostLost');
    expect(lost.phase).toBe('Failed');
  });

  it('what waited for room still waits, what was being deleted is gone', async () => {
    await begin({ LOCAL_NODES: '1', LOCAL_NODE_MEMORY_MIB: '130' });
    const leaving = await startReady('ignores-sigterm');
    const waiting = await host.client.createInstance(host.spec('serves'));
    expect(waiting.phase).toBe('Pending');
    await host.client.deleteInstance(leaving.instanceId, leaving.uid);
    await host.end('SIGKILL');
    await host.start();
    await watch.untilGone(leaving);
    expect((await watch.until(waiting, (instance) => instance.ready)).uid).toBe(waiting.uid);
  });

  it('a lost watchdog is replaced, so that the instances still end with the host', async () => {
    await begin();
    const ready = await startReady();
    const pid = await pidOf(ready);
    const lost = await watchdogOf(host.pid());
    process.kill(lost, 'SIGKILL');
    const anotherThere = async () => (await watchdogsOf(host.pid())).find((each) => each !== lost);
    await waitUntil('another watchdog', anotherThere, { withinMs: 10_000, everyMs: 25 });
    // The host answers when it has told it all that it started it for.
    await host.client.readUsage();
    await host.end('SIGKILL');
    await untilDead([pid]);
  });

  it('not, but falls silent, its clients notice within seven seconds and list anew when it speaks again', async () => {
    await begin();
    const ready = await startReady();
    process.kill(host.pid(), 'SIGSTOP');
    const stopped = Date.now();
    while (watch.watch.healthy && Date.now() - stopped < 10_000)
      await new Promise((settle) => setTimeout(settle, 50));
    expect(Date.now() - stopped).toBeLessThan(7000);
    const seen = watch.events.length;
    process.kill(host.pid(), 'SIGCONT');
    await watch.until(ready, () => watch.events.length > seen);
    expect(watch.events[seen]).toMatchObject({
      type: 'listed',
      instances: [{ uid: ready.uid, ready: true }],
    });
    expect(watch.watch.healthy).toBe(true);
  });

  it('a process that lives keeps its folder and socket: a second host is refused with a sentence', async () => {
    await begin();
    const second = spawnHost({
      HUB_DATA_DIR: host.folder,
      LOCAL_HOST_SOCKET: join(host.folder, 'other.sock'),
    });
    expect(await outcomeOf(second)).toMatch(/1 [^]*another local host \(process \d+\) works in/);
    const folder = join(host.folder, 'other');
    const third = spawnHost({ HUB_DATA_DIR: folder, LOCAL_HOST_SOCKET: host.socketPath });
    expect(await outcomeOf(third)).toMatch(/1 [^]*another process serves on/);
    expect((await startReady()).ready).toBe(true);
  });
});

function spawnHost(env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [resolve('dist/hosts/local/host.main.js')], { env, stdio: 'pipe' });
}

async function outcomeOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stderr?.on('data', (chunk) => (text += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  return `${code} ${text}`;
}

async function watchdogOf(hostPid: number): Promise<number> {
  const [pid] = await watchdogsOf(hostPid);
  if (pid === undefined) throw new Error(`host ${hostPid} has no watchdog among its children`);
  return pid;
}

/** The shells among the children of the host; one that ended is there until the host has heard of it. */
async function watchdogsOf(hostPid: number): Promise<number[]> {
  const children = await readFile(`/proc/${hostPid}/task/${hostPid}/children`, 'utf8');
  const pids = children.trim().split(' ').filter(Boolean).map(Number);
  return pids.filter((pid) => readProcFile(pid, 'comm')?.trim() === 'sh');
}
