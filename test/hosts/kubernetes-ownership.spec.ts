import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { podNameOf } from '../../hosts/kubernetes/pod-name.js';
import { HostUnavailableError, InstanceRefusedError, type ModelHost } from '../../hosts/model-host.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { type ControlPlane, startControlPlane } from '../kubernetes/control-plane/control-plane.js';
import { kubernetesSpec, openKubernetesHost } from '../support/kubernetes-host.js';
import { describeWith } from '../support/require-part.js';
import { describeLimits } from './cluster-limits.js';
import { describeTwoHubs } from './hubs-of-one-name.js';
import { type RecordedWatch, recordWatch } from './record-watch.js';

describeWith('kubernetes')('pods of this hub and of others', () => {
  let plane: ControlPlane;
  let namespace: string;
  let host: ModelHost;
  let watch: RecordedWatch;

  beforeAll(async () => {
    plane = await startControlPlane();
    namespace = await plane.cluster.createNamespace();
    await plane.cluster.addNode({ name: 'node-1', cpuMillicores: 4000, memoryBytes: 8192 * MEBIBYTE });
    await plane.cluster.untilMetrics();
    host = openKubernetesHost(await plane.kubeconfig('hub'), namespace);
    watch = recordWatch(host);
  }, 120_000);
  afterAll(async () => {
    watch?.close();
    await host?.close();
    await plane?.stop();
  }, 30_000);

  it('X-W2: ends the very instance it is asked to end, never another of the same model or of another hub', async () => {
    const kubeconfig = await plane.kubeconfig('hub');
    const other = openKubernetesHost(kubeconfig, namespace, { HUB_NAME: 'other-hub' });
    const [first, second] = [
      await host.createInstance(kubernetesSpec()),
      await host.createInstance(kubernetesSpec()),
    ];
    const foreign = await other.createInstance(kubernetesSpec());
    await watch.until(second, (instance) => instance.ready);
    expect(watch.latest(foreign)).toBeUndefined();
    expect(await host.deleteInstance(first.instanceId, second.uid)).toEqual({ deleted: false });
    expect(await host.deleteInstance(first.instanceId, first.uid)).toEqual({ deleted: true });
    await watch.untilGone(first);
    for (const { instanceId, uid } of [second, foreign]) {
      const { metadata } = await plane.cluster.pod(namespace, podNameOf(instanceId));
      expect(metadata).toMatchObject({ uid });
      expect(metadata.deletionTimestamp).toBeUndefined();
    }
    await other.close();
  });

  it('does not take over a pod of its name that someone else made', async () => {
    const other = openKubernetesHost(await plane.kubeconfig('hub'), namespace, { HUB_NAME: 'other-hub' });
    const spec = kubernetesSpec();
    await other.createInstance(spec);
    const refused = host.createInstance(spec);
    await expect(refused).rejects.toThrow(InstanceRefusedError);
    await expect(refused).rejects.toThrow(/not of the hub model-hub/);
    await other.close();
  });

  it('does not take over a pod of its name that a hub of the same name made with another database', async () => {
    const other = openKubernetesHost(await plane.kubeconfig('hub'), namespace, {}, { hubId: 'other-id' });
    const spec = kubernetesSpec();
    await other.createInstance(spec);
    await expect(host.createInstance(spec)).rejects.toThrow(InstanceRefusedError);
    await other.close();
  });

  it('finds the instance whose creation was done but whose answer was lost', async () => {
    const proxy = await plane.proxy();
    const fragile = openKubernetesHost(await proxy.kubeconfig('hub'), namespace);
    const spec = kubernetesSpec();
    proxy.loseNextReply('POST');
    await expect(fragile.createInstance(spec)).rejects.toThrow(HostUnavailableError);
    const found = await fragile.createInstance(spec);
    const { metadata } = await plane.cluster.pod(namespace, podNameOf(spec.instanceId));
    expect(found.uid).toBe(metadata.uid);
    await fragile.close();
  });

  it('passes on why the cluster refuses a pod, and does not ask again', async () => {
    const refused = host.createInstance(kubernetesSpec({ cpuRequestMillicores: 2000 }));
    await expect(refused).rejects.toThrow(InstanceRefusedError);
    await expect(refused).rejects.toThrow(/must be less than or equal to cpu limit/);
  });

  it('shows no figures of nodes where it may not read them, and all else', async () => {
    const blind = openKubernetesHost(await plane.kubeconfig('hub-without-nodes'), namespace);
    const blindWatch = recordWatch(blind);
    const spec = kubernetesSpec();
    plane.metrics.set(namespace, podNameOf(spec.instanceId), { cpuMillicores: 7, memoryBytes: MEBIBYTE });
    const created = await blind.createInstance(spec);
    await blindWatch.until(created, (instance) => instance.ready);
    const { instances, nodes, nodeGap } = await blind.readUsage();
    expect([nodes, nodeGap]).toEqual([[], 'nodes-not-permitted']);
    expect(instances.find(({ uid }) => uid === created.uid)).toMatchObject({ cpuMillicores: 7 });
    expect(await blind.largestNodeMemoryBytes()).toBe(16_384 * MEBIBYTE);
    blindWatch.close();
    await blind.close();
  });

  it('T39: tells of figures over which time they were measured', async () => {
    const spec = kubernetesSpec();
    plane.metrics.set(namespace, podNameOf(spec.instanceId), { cpuMillicores: 7, memoryBytes: MEBIBYTE });
    const created = await host.createInstance(spec);
    await watch.until(created, (instance) => instance.ready);
    const { instances } = await host.readUsage();
    const { sampledAt, recentPeriods } = instances.find(({ uid }) => uid === created.uid)!;
    const from = new Date(Date.parse(sampledAt) - 15_000).toISOString();
    expect(recentPeriods).toEqual([{ from, to: sampledAt, memoryBytes: MEBIBYTE, cpuMillicores: 7 }]);
  });

  it('X-P2: watches instead of asking again and again', async () => {
    const proxy = await plane.proxy();
    const quiet = openKubernetesHost(await proxy.kubeconfig('hub'), namespace);
    const quietWatch = recordWatch(quiet);
    const spec = kubernetesSpec();
    const created = await quiet.createInstance(spec);
    await quietWatch.until(created, (instance) => instance.ready);
    await sleep(3000);
    const lists = proxy.requests.filter(({ method, isWatch, path }) => {
      return method === 'GET' && !isWatch && path.endsWith('/pods');
    });
    expect(lists).toHaveLength(1);
    expect(proxy.requests.filter(({ isWatch }) => isWatch)).toHaveLength(1);
    quietWatch.close();
    await quiet.close();
  });

  it('sees what happened while the connection was reset, without listing again', async () => {
    const proxy = await plane.proxy();
    const shaken = openKubernetesHost(await proxy.kubeconfig('hub'), namespace);
    const shakenWatch = recordWatch(shaken);
    const created = await host.createInstance(kubernetesSpec());
    await shakenWatch.until(created, (instance) => instance.ready);
    proxy.reset();
    await host.deleteInstance(created.instanceId, created.uid);
    await shakenWatch.untilGone(created);
    expect(shakenWatch.events.filter(({ type }) => type === 'listed')).toHaveLength(1);
    shakenWatch.close();
    await shaken.close();
  });

  it('lists anew where the server has forgotten the past, and tells what is gone', async () => {
    const proxy = await plane.proxy();
    const shaken = openKubernetesHost(await proxy.kubeconfig('hub'), namespace);
    const shakenWatch = recordWatch(shaken);
    const created = await host.createInstance(kubernetesSpec());
    await shakenWatch.until(created, (instance) => instance.ready);
    proxy.expireNextWatch();
    proxy.disconnect();
    await host.deleteInstance(created.instanceId, created.uid);
    await shakenWatch.untilGone(created);
    expect(shakenWatch.events.filter(({ type }) => type === 'listed')).toHaveLength(2);
    shakenWatch.close();
    await shaken.close();
  });

  describeLimits(() => plane);
  describeTwoHubs(() => ({ plane, namespace }));
});
