import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { InstanceRefusedError, type ObservedInstance, type UsagePeriod } from '../../hosts/model-host.js';
import { waitUntil } from '../support/wait-until.js';
import {
  askFixture,
  harmFixture,
  isAlive,
  type LocalTestHost,
  startLocalTestHost,
  untilDead,
} from './local-test-host.js';
import { type RecordedWatch, recordWatch } from './record-watch.js';

/** What only the local host can do or must bear. What every host must do is in `model-host-contract.ts`. */
const MEBIBYTE = 1024 * 1024;

describe('instances of the local host', () => {
  let host: LocalTestHost;
  let watch: RecordedWatch;
  beforeAll(async () => {
    host = await startLocalTestHost({ LOCAL_LOG_CAP_BYTES: '100000' });
    watch = recordWatch(host.client);
  });
  afterAll(async () => {
    watch.close();
    await host.close();
  });

  const startReady = async (model = 'serves', sizes = {}) => {
    const created = await host.client.createInstance(host.spec(model, sizes));
    return watch.until(created, (instance) => instance.ready);
  };
  const remove = async (instance: ObservedInstance) => {
    await host.client.deleteInstance(instance.instanceId, instance.uid);
    await watch.untilGone(instance);
  };

  it('get nothing of the hub but address, path, home and language', async () => {
    const ready = await startReady();
    const { environment, folder } = (await askFixture(ready, '/about')) as {
      environment: Record<string, string>;
      folder: string;
    };
    const allowed = ['FIXTURE_BEHAVIOUR', 'HOST', 'HUB_INSTANCE_UID', 'HUB_LOCAL_HOST', 'PATH', 'PORT'];
    expect(Object.keys(environment).sort()).toEqual(allowed);
    expect(`${environment.HOST}:${environment.PORT}`).toBe(ready.address);
    expect(folder).toBe(`${host.folder}/local-host/instances/${ready.uid}/work`);
    await remove(ready);
  });

  it('compute at a lower priority than the hub, which must answer while they are busy', async () => {
    const ready = await startReady();
    const { niceness } = (await askFixture(ready, '/about')) as { niceness: number };
    expect(niceness).toBe(getPriority() + 5);
    await remove(ready);
  });

  it('are refused for a model without a command, with a sentence that says what to add where', async () => {
    const refusal = host.client.createInstance(host.spec('eos-unknown'));
    await expect(refusal).rejects.toThrow(InstanceRefusedError);
    await expect(refusal).rejects.toThrow(`write "eos-unknown": { "command": ["node", "./server.js"] }`);
    await expect(refusal).rejects.toThrow(host.commandFile);
  });

  it('can be of a model that was added while the host runs', async () => {
    const commands = JSON.parse(await readFile(host.commandFile, 'utf8')) as Record<string, unknown>;
    await writeFile(host.commandFile, JSON.stringify({ ...commands, added: commands.serves }));
    await remove(await startReady('added'));
  });

  it('fail with StartError when their command does not exist', async () => {
    const commands = JSON.parse(await readFile(host.commandFile, 'utf8')) as Record<string, unknown>;
    await writeFile(
      host.commandFile,
      JSON.stringify({ ...commands, absent: { command: ['./no-such-server'] } }),
    );
    const created = await host.client.createInstance(host.spec('absent'));
    const failed = await watch.until(created, (instance) => instance.phase === 'Failed');
    expect(failed.lastTermination).toMatchObject({ exitCode: 128, reason: 'StartError' });
    expect(failed.lastTermination?.message).toContain('no-such-server could not be started');
    await remove(failed);
  });

  it('report a death by signal as 128 and the signal', async () => {
    const ready = await startReady();
    await harmFixture(ready, '/fault/abort');
    const failed = await watch.until(ready, (instance) => instance.phase === 'Failed');
    expect(failed.lastTermination).toMatchObject({ exitCode: 139, signal: 'SIGSEGV', reason: 'Error' });
    await remove(failed);
  });

  it('keep their peak after an out-of-memory kill, near the limit and readable until deleted', async () => {
    const ready = await startReady();
    await harmFixture(ready, '/fault/allocate?mib=2048');
    const killed = await watch.until(ready, (instance) => instance.phase === 'Failed');
    expect(killed.lastTermination).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    const usage = (await host.client.readUsage()).instances.find(({ uid }) => uid === killed.uid);
    const finishedAt = Date.parse(killed.lastTermination!.finishedAt!);
    expect(Math.abs(Date.parse(usage!.sampledAt) - finishedAt)).toBeLessThan(2000);
    const peak = Math.max(...usage!.recentPeriods!.map(({ memoryBytes }) => memoryBytes));
    expect(peak).toBe(usage?.peakMemoryBytes);
    expect(usage?.peakMemoryBytes).toBeGreaterThanOrEqual(256 * MEBIBYTE);
    expect(usage?.peakMemoryBytes).toBeLessThan(2048 * MEBIBYTE);
    const reasons = (await host.client.listEvents(killed.instanceId)).map(({ reason }) => reason);
    expect(reasons).toEqual(['Scheduled', 'Started', 'OOMKilling', 'OOMKilled']);
    await remove(killed);
  });

  it('are charged for the CPU they use', async () => {
    const ready = await startReady();
    const began = Date.now();
    await askFixture(ready, '/fault/burn?ms=1500');
    const ended = Date.now();
    const usage = await host.usageSince(ready, ended);
    expect(usage.cpuSecondsTotal).toBeGreaterThan(1.4);
    // Whatever share of the machine it gets: no period tells more or less than was used in it.
    const cpuSecondsOf = ({ from, to, cpuMillicores }: UsagePeriod) =>
      ((Date.parse(to) - Date.parse(from)) * cpuMillicores) / 1e6;
    const sum = (periods: readonly UsagePeriod[]) => periods.map(cpuSecondsOf).reduce((a, b) => a + b, 0);
    const periods = usage.recentPeriods!;
    expect(sum(periods)).toBeCloseTo(usage.cpuSecondsTotal!, 1);
    const burning = periods.filter(({ from, to }) => Date.parse(to) > began && Date.parse(from) < ended);
    expect(sum(burning)).toBeGreaterThan(1.4);
    // A rate over the last seconds, not the counter of its life.
    const seconds = (Date.parse(usage.sampledAt) - Date.parse(periods[0]!.from)) / 1000;
    expect(usage.cpuMillicores).toBeGreaterThan((900 * usage.cpuSecondsTotal!) / seconds);
    await remove(ready);
  });

  it('end with all their children, also one that left session and parent', async () => {
    const ready = await startReady('serves', { memoryLimitBytes: null });
    const { child, stray } = (await askFixture(ready, '/fault/spawn')) as { child: number; stray: number };
    expect([isAlive(child), isAlive(stray)]).toEqual([true, true]);
    await host.usageSince(ready, Date.now());
    await remove(ready);
    await untilDead([child, stray]);
  });

  it('are asked to end first and killed two seconds later', async () => {
    const ready = await startReady('ignores-sigterm');
    const began = Date.now();
    await remove(ready);
    expect(Date.now() - began).toBeGreaterThan(1900);
    expect(Date.now() - began).toBeLessThan(4000);
    expect(watch.historyOf(ready).some(({ terminating, phase }) => terminating && phase === 'Running')).toBe(
      true,
    );
    expect(await host.client.readLogs(ready.instanceId)).toContain('not yet');
  });

  it('keep their newest log lines below the cap', async () => {
    const ready = await startReady();
    await askFixture(ready, `/fault/print?times=20000&text=${'filler'.repeat(5)}`);
    await askFixture(ready, '/fault/print?text=the-last-line');
    const log = await waitUntil(
      'the last line',
      async () => {
        const now = (await host.client.readLogs(ready.instanceId)) ?? '';
        return now.endsWith(' the-last-line\n') ? now : undefined;
      },
      { withinMs: 10_000, everyMs: 50 },
    );
    expect(log.length).toBeLessThanOrEqual(100_000);
    expect(log.length).toBeGreaterThan(20_000);
    await remove(ready);
  });
});

describe('the virtual nodes of the local host', () => {
  it('keep an instance waiting while full, and take it when room appears', async () => {
    const settings = { LOCAL_NODES: '2', LOCAL_NODE_MEMORY_MIB: '300', LOCAL_NODE_CPU_MILLICORES: '1000' };
    const host = await startLocalTestHost(settings);
    const watch = recordWatch(host.client);
    const large = { memoryRequestBytes: 200 * MEBIBYTE };
    const first = await host.client.createInstance(host.spec('serves', large));
    const second = await host.client.createInstance(host.spec('serves', large));
    expect([first.node, second.node]).toEqual(['local-1', 'local-2']);
    const third = await host.client.createInstance(host.spec('serves', large));
    expect(third).toMatchObject({ phase: 'Pending', node: null });
    expect(third.waiting).toEqual({
      reason: 'Unschedulable',
      message: '0/2 nodes are available: 2 Insufficient memory.',
    });
    const small = await host.client.createInstance(
      host.spec('serves', { memoryRequestBytes: 90 * MEBIBYTE }),
    );
    expect(small.node).toBe('local-1');
    await watch.until(second, (instance) => instance.ready);
    await host.client.deleteInstance(second.instanceId, second.uid);
    const placed = await watch.until(third, (instance) => instance.ready);
    expect(placed).toMatchObject({ node: 'local-2', waiting: null });
    watch.close();
    await host.close();
  });

  it('start fifty instances at once', async () => {
    const host = await startLocalTestHost();
    const watch = recordWatch(host.client, 60_000);
    const specs = Array.from({ length: 50 }, () => host.spec('serves', { cpuRequestMillicores: 10 }));
    const created = await Promise.all(specs.map((spec) => host.client.createInstance(spec)));
    const ready = await Promise.all(created.map((one) => watch.until(one, (instance) => instance.ready)));
    expect(new Set(ready.map(({ address }) => address)).size).toBe(50);
    const { instances } = await host.client.readUsage();
    expect(instances).toHaveLength(50);
    watch.close();
    await host.close();
  }, 90_000);
});
