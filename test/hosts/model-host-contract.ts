import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  HostUnavailableError,
  type InstanceSpec,
  type ModelHost,
  type ObservedInstance,
} from '../../hosts/model-host.js';
import { Pod } from '../../domain/instance/pod.wire.js';
import { recordEvents, untilEvents } from './record-events.js';
import { collect, type RecordedWatch, recordWatch } from './record-watch.js';

/** How the server of a test instance behaves; the harness knows how its host brings that about. */
export type FixtureBehaviour = 'serves' | 'never-ready' | 'crashes' | 'too-large-for-any-node';

/** What a host's own test supplies: real instances, and ways to make things go wrong with them. */
export interface ModelHostHarness {
  readonly host: ModelHost;
  /** A client whose connection `whileUnreachable` cuts; `host` is not touched by it. */
  readonly fragileHost: ModelHost;
  /** A spec with a fresh instance id. `crashes` ends with exit code 3 and says why on its output. */
  spec(behaviour: FixtureBehaviour): InstanceSpec;
  /** Makes the server of a ready instance end with this code. */
  endServer(instance: ObservedInstance, exitCode: number): Promise<void>;
  /** Makes the server of a ready instance use more memory than its limit. */
  exhaustMemory(instance: ObservedInstance): Promise<void>;
  /** Makes the server of a ready instance print a line. */
  print(instance: ObservedInstance, line: string): Promise<void>;
  whileUnreachable(action: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Holds a model host to the contract of `hosts/model-host.ts`. Not covered: what only one kind of host can do. */
export function describeModelHost(
  name: string,
  makeHarness: () => Promise<ModelHostHarness>,
  describeAll: (title: string, tests: () => void) => void = describe,
): void {
  describeAll(`the ${name} model host`, () => {
    let harness: ModelHostHarness;
    let host: ModelHost;
    let watch: RecordedWatch;

    beforeAll(async () => {
      harness = await makeHarness();
      host = harness.host;
      watch = recordWatch(host);
    }, 120_000);
    afterAll(async () => {
      watch?.close();
      await harness?.close();
    }, 30_000);

    const startReady = async (): Promise<ObservedInstance> => {
      const created = await host.createInstance(harness.spec('serves'));
      return watch.until(created, (instance) => instance.ready);
    };
    const remove = async (instance: ObservedInstance) => {
      expect(await host.deleteInstance(instance.instanceId, instance.uid)).toEqual({ deleted: true });
      await watch.untilGone(instance);
    };

    describeLife(() => ({ harness, host, watch, startReady, remove }));
    describeEnds(() => ({ harness, host, watch, startReady, remove }));
    describeViews(() => ({ harness, host, watch, startReady, remove }));
  });
}

interface Parts {
  readonly harness: ModelHostHarness;
  readonly host: ModelHost;
  readonly watch: RecordedWatch;
  readonly startReady: () => Promise<ObservedInstance>;
  readonly remove: (instance: ObservedInstance) => Promise<void>;
}

function describeLife(parts: () => Parts): void {
  it('starts an instance that becomes ready exactly once, with ever newer versions', async () => {
    const { watch, startReady, remove } = parts();
    const ready = await startReady();
    expect(ready).toMatchObject({ phase: 'Running', waiting: null, restartCount: 0, terminating: false });
    expect(ready.address).toMatch(/:\d+$/);
    expect(ready.node).not.toBeNull();
    expect(Date.parse(ready.readyAt ?? '')).toBeGreaterThanOrEqual(Date.parse(ready.createdAt));
    await remove(ready);
    const seen = watch.historyOf(ready);
    const flanks = seen.filter((instance, index) => instance.ready && !seen[index - 1]?.ready);
    expect(flanks).toHaveLength(1);
    const versions = seen.map(({ resourceVersion }) => resourceVersion);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  });

  it('creates one instance for one id, also when asked many times at once', async () => {
    const { harness, host, watch, remove } = parts();
    const spec = harness.spec('serves');
    const created = await Promise.all(Array.from({ length: 5 }, () => host.createInstance(spec)));
    expect(new Set(created.map(({ uid }) => uid)).size).toBe(1);
    const ready = await watch.until(created[0]!, (instance) => instance.ready);
    expect((await host.createInstance(spec)).uid).toBe(ready.uid);
    await remove(ready);
  });

  it('gives a new uid and a newer version to an id that was deleted and is created again', async () => {
    const { harness, host, remove } = parts();
    const spec = harness.spec('serves');
    const first = await host.createInstance(spec);
    await remove(first);
    const second = await host.createInstance(spec);
    expect(second.uid).not.toBe(first.uid);
    expect(second.resourceVersion).toBeGreaterThan(first.resourceVersion);
    await remove(second);
  });

  it('deletes by uid only: another uid changes nothing, a second delete finds nothing', async () => {
    const { host, watch, startReady } = parts();
    const ready = await startReady();
    expect(await host.deleteInstance(ready.instanceId, 'another-uid')).toEqual({ deleted: false });
    expect(await host.deleteInstance('never-created', ready.uid)).toEqual({ deleted: false });
    expect(watch.latest(ready)).toMatchObject({ phase: 'Running', terminating: false });
    expect(await host.deleteInstance(ready.instanceId, ready.uid)).toEqual({ deleted: true });
    await watch.untilGone(ready);
    expect(watch.historyOf(ready).some(({ terminating }) => terminating)).toBe(true);
    expect(await host.deleteInstance(ready.instanceId, ready.uid)).toEqual({ deleted: false });
  });

  it('leaves an instance that fits no node pending and says so; it can be deleted', async () => {
    const { harness, host, watch, remove } = parts();
    const created = await host.createInstance(harness.spec('too-large-for-any-node'));
    const waiting = await watch.until(created, (instance) => instance.waiting !== null);
    expect(waiting).toMatchObject({ phase: 'Pending', ready: false, node: null });
    expect(waiting.waiting?.reason).toBe('Unschedulable');
    expect(waiting.waiting?.message).toMatch(/nodes are available/);
    await remove(waiting);
  });
}

function describeEnds(parts: () => Parts): void {
  it('never calls an instance ready whose server is not healthy', async () => {
    const { harness, host, watch, remove } = parts();
    const created = await host.createInstance(harness.spec('never-ready'));
    const running = await watch.until(created, (instance) => instance.phase === 'Running');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(watch.latest(running)).toMatchObject({ phase: 'Running', ready: false, readyAt: null });
    await remove(running);
  });

  it('reports a server that crashes at start, keeps its last words, and does not start it again', async () => {
    const { harness, host, watch, remove } = parts();
    const created = await host.createInstance(harness.spec('crashes'));
    const failed = await watch.until(created, (instance) => instance.phase === 'Failed');
    expect(failed).toMatchObject({ ready: false, readyAt: null, restartCount: 0 });
    expect(failed.lastTermination).toMatchObject({ exitCode: 3, reason: 'Error' });
    expect(await host.readLogs(failed.instanceId)).toMatch(/the weights could not be read/);
    await remove(failed);
  });

  it('tells an exit with 0 from one with another code', async () => {
    const { harness, watch, startReady, remove } = parts();
    const [first, second] = [await startReady(), await startReady()];
    await harness.endServer(first, 0);
    const completed = await watch.until(first, (instance) => instance.phase === 'Succeeded');
    expect(completed.lastTermination).toMatchObject({ exitCode: 0, reason: 'Completed' });
    await harness.endServer(second, 7);
    const failed = await watch.until(second, (instance) => instance.phase === 'Failed');
    expect(failed.lastTermination).toMatchObject({ exitCode: 7, reason: 'Error' });
    await Promise.all([remove(completed), remove(failed)]);
  });

  it('kills an instance at its memory limit and reports it as a cluster does', async () => {
    const { harness, watch, startReady, remove } = parts();
    const ready = await startReady();
    await harness.exhaustMemory(ready);
    const killed = await watch.until(ready, (instance) => instance.phase === 'Failed');
    expect(killed.lastTermination).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    expect(killed.restartCount).toBe(0);
    await remove(killed);
  });
}

function describeViews(parts: () => Parts): void {
  it('lists first and tells the same to every watcher', async () => {
    const { harness, startReady, remove } = parts();
    const before = await startReady();
    const second = recordWatch(harness.fragileHost);
    await second.until(before, (instance) => instance.ready);
    expect(second.events[0]?.type).toBe('listed');
    const later = await startReady();
    await second.until(later, (instance) => instance.ready);
    await Promise.all([remove(before), remove(later)]);
    await Promise.all([second.untilGone(before), second.untilGone(later)]);
    second.close();
  });

  it('sees after a gap what happened meanwhile', async () => {
    const { harness, startReady, remove } = parts();
    const ready = await startReady();
    const fragile = recordWatch(harness.fragileHost);
    await fragile.until(ready, (instance) => instance.ready);
    expect(fragile.watch.healthy).toBe(true);
    await harness.whileUnreachable(async () => {
      await remove(ready);
      await expect(harness.fragileHost.createInstance(harness.spec('serves'))).rejects.toThrow(
        HostUnavailableError,
      );
      expect(fragile.watch.healthy).toBe(false);
    });
    await fragile.untilGone(ready);
    expect(fragile.watch.healthy).toBe(true);
    fragile.close();
  });

  it('gives the log by window and by tail, after the end and after deletion too', async () => {
    const { harness, host, watch, startReady, remove } = parts();
    const ready = await startReady();
    await harness.print(ready, 'before the lease');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const since = new Date().toISOString();
    await harness.print(ready, 'in the lease');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const until = new Date().toISOString();
    await harness.print(ready, 'after the lease');
    const window = await host.readLogs(ready.instanceId, { since, until });
    expect(window).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z in the lease\n$/);
    expect(await host.readLogs(ready.instanceId, { tailLines: 1 })).toMatch(/^\S+ after the lease\n$/);
    await harness.endServer(ready, 0);
    await watch.until(ready, (instance) => instance.phase === 'Succeeded');
    expect(await host.readLogs(ready.instanceId)).toMatch(/before the lease[\s\S]*after the lease/);
    await remove(ready);
    expect(await host.readLogs('never-created')).toBeNull();
  });

  it('follows a log from its beginning to the end of the instance, or until told to stop', async () => {
    const { harness, host, startReady, remove } = parts();
    const ready = await startReady();
    await harness.print(ready, 'first');
    const stop = new AbortController();
    const [stopped, whole] = [new Array<string>(), new Array<string>()];
    const stoppedEnd = collect(host.followLogs(ready.instanceId, stop.signal), stopped, (line) => {
      if (line.includes('second')) stop.abort();
    });
    const wholeEnd = collect(host.followLogs(ready.instanceId, new AbortController().signal), whole);
    await harness.print(ready, 'second');
    await stoppedEnd;
    await harness.print(ready, 'third');
    await harness.endServer(ready, 0);
    await wholeEnd;
    expect(stopped.join('\n')).not.toContain('third');
    expect(whole.join('\n')).toMatch(/first[^]*second[^]*third/);
    await remove(ready);
  });

  it('keeps events of an instance, oldest first', async () => {
    const { host, startReady, remove } = parts();
    const ready = await startReady();
    const events = await untilEvents(host, ready.instanceId, 'Scheduled', 'Started');
    expect(events.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['Scheduled', 'Started']));
    expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).sort());
    await remove(ready);
    expect(await host.listEvents('never-created')).toEqual([]);
  });

  it('tells events as they come, and again to who comes later, under the same ids', async () => {
    const { host, startReady, remove } = parts();
    const early = recordEvents(host);
    const ready = await startReady();
    const scheduled = await early.until(ready, 'Scheduled');
    expect(scheduled).toMatchObject({ instanceId: ready.instanceId, type: 'Normal' });
    const late = recordEvents(host);
    expect((await late.until(ready, 'Scheduled')).id).toBe(scheduled.id);
    const listed = await host.listEvents(ready.instanceId);
    expect(listed.map(({ id }) => id)).toContain(scheduled.id);
    early.watch.close();
    late.watch.close();
    await remove(ready);
  });

  it('gives the beginning of a log, and follows it from its last lines', async () => {
    const { harness, host, startReady, remove } = parts();
    const ready = await startReady();
    for (const line of ['one', 'two', 'three']) await harness.print(ready, line);
    const head = (await host.readLogs(ready.instanceId, { headLines: 1 })) ?? '';
    expect(head.split('\n')).toHaveLength(2);
    expect((await host.readLogs(ready.instanceId))?.startsWith(head)).toBe(true);
    const [stop, lines] = [new AbortController(), new Array<string>()];
    await collect(host.followLogs(ready.instanceId, stop.signal, { tailLines: 1 }), lines, () =>
      stop.abort(),
    );
    expect(lines).toEqual([expect.stringMatching(/ three$/)]);
    await remove(ready);
  });

  it('shows an instance in the shape of the wire', async () => {
    const { startReady, remove } = parts();
    const ready = await startReady();
    expect(Pod.parse(ready.pod)).toEqual(ready.pod);
    expect(ready.pod).toMatchObject({ state: { phase: 'Running' }, node_name: ready.node });
    await remove(ready);
  });

  it('measures memory and CPU of every instance and what is requested on the nodes', async () => {
    const { host, watch, harness, remove } = parts();
    const spec = harness.spec('serves');
    const ready = await watch.until(await host.createInstance(spec), (instance) => instance.ready);
    await new Promise((resolve) => setTimeout(resolve, 1300));
    const { instances, nodes } = await host.readUsage();
    const usage = instances.find(({ uid }) => uid === ready.uid);
    if (!usage) throw new Error(`no usage of ${ready.instanceId} in ${JSON.stringify(instances)}`);
    expect(usage.memoryBytes).toBeGreaterThan(1024 * 1024);
    expect(usage.peakMemoryBytes ?? Infinity).toBeGreaterThanOrEqual(usage.memoryBytes);
    expect(usage.cpuMillicores).toBeGreaterThanOrEqual(0);
    const largest = await host.largestNodeMemoryBytes();
    for (const node of nodes ?? []) {
      const least = node.node === ready.node ? spec : { memoryRequestBytes: 0, cpuRequestMillicores: 0 };
      expect(node.requestedMemoryBytes).toBeGreaterThanOrEqual(least.memoryRequestBytes);
      expect(node.requestedCpuMillicores).toBeGreaterThanOrEqual(least.cpuRequestMillicores);
      expect(node.allocatableMemoryBytes).toBeLessThanOrEqual(largest);
    }
    await remove(ready);
  });
}
