import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ModelHost, ObservedInstance } from '../../hosts/model-host.js';
import { describeLogs } from './contract-of-logs.js';
import { describeWatches } from './contract-of-watches.js';
import type { ContractParts, ModelHostHarness } from './model-host-harness.js';
import { type RecordedWatch, recordWatch } from './record-watch.js';

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
    describeWatches(() => ({ harness, host, watch, startReady, remove }));
    describeLogs(() => ({ harness, host, watch, startReady, remove }));
  });
}

function describeLife(parts: () => ContractParts): void {
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

function describeEnds(parts: () => ContractParts): void {
  it('never calls an instance ready whose server is not healthy', async () => {
    const { harness, host, watch, remove } = parts();
    const created = await host.createInstance(harness.spec('never-ready'));
    const running = await watch.until(created, (instance) => instance.phase === 'Running');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(watch.latest(running)).toMatchObject({ phase: 'Running', ready: false, readyAt: null });
    await remove(running);
  });

  it('calls a ready instance not ready while its server answers nobody, and ready again once it does', async () => {
    const { harness, watch, startReady, remove } = parts();
    const ready = await startReady();
    const goOn = await harness.hang(ready);
    const isAfter = (first: ObservedInstance) => (seen: ObservedInstance) =>
      seen.resourceVersion > first.resourceVersion && seen.ready !== first.ready;
    const hung = await watch.until(ready, isAfter(ready));
    expect(hung).toMatchObject({ phase: 'Running', readyAt: null, restartCount: 0, terminating: false });
    await goOn();
    const again = await watch.until(ready, isAfter(hung));
    expect(Date.parse(again.readyAt ?? '')).toBeGreaterThanOrEqual(Date.parse(ready.readyAt ?? ''));
    await remove(again);
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
