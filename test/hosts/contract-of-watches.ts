import { expect, it } from '@jest/globals';
import { Pod } from '../../domain/instance/pod.wire.js';
import { HostUnavailableError } from '../../hosts/model-host.js';
import { recordEvents, untilEvents } from './record-events.js';
import type { ContractParts } from './model-host-harness.js';
import { recordWatch } from './record-watch.js';

/** What a host tells of its instances as it happens, and what it measures. */
export function describeWatches(parts: () => ContractParts): void {
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
    expect(listed.find(({ id }) => id === scheduled.id)).toMatchObject({
      ...scheduled,
      raw: expect.anything(),
    });
    early.watch.close();
    late.watch.close();
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
    for (const node of nodes) {
      const least = node.node === ready.node ? spec : { memoryRequestBytes: 0, cpuRequestMillicores: 0 };
      expect(node.requestedMemoryBytes).toBeGreaterThanOrEqual(least.memoryRequestBytes);
      expect(node.requestedCpuMillicores).toBeGreaterThanOrEqual(least.cpuRequestMillicores);
      expect(node.allocatableMemoryBytes).toBeLessThanOrEqual(largest);
    }
    await remove(ready);
  });
}
