import { setTimeout as sleep } from 'node:timers/promises';
import { podNameOf } from '../../hosts/kubernetes/pod-name.js';
import { MEBIBYTE } from '../factories/mebibyte.js';
import { type ControlPlane, startControlPlane } from '../kubernetes/control-plane/control-plane.js';
import type { PodLog } from '../kubernetes/control-plane/pod-log.js';
import { kubernetesSpec, openKubernetesHost } from '../support/kubernetes-host.js';
import type { FixtureBehaviour, ModelHostHarness } from './model-host-harness.js';

const annotationsOf: Readonly<Record<FixtureBehaviour, Readonly<Record<string, string>>>> = {
  serves: {},
  'never-ready': { 'sim.test/fault': 'never-ready' },
  crashes: { 'sim.test/fault': 'crash', 'sim.test/exit-code': '3' },
  'too-large-for-any-node': {},
};

/** The cluster as the contract suite wants it: faults by annotation, a proxy that can be cut. */
export async function makeKubernetesHarness(): Promise<ModelHostHarness> {
  const plane = await startControlPlane();
  const namespace = await plane.cluster.createNamespace();
  await plane.cluster.addNode({ name: 'node-1', cpuMillicores: 4000, memoryBytes: 8192 * MEBIBYTE });
  await plane.cluster.untilMetrics();
  const proxy = await plane.proxy();
  const host = openKubernetesHost(await plane.kubeconfig('hub'), namespace);
  const fragileHost = openKubernetesHost(await proxy.kubeconfig('hub'), namespace);
  const logs = new Map<string, PodLog>();
  const setFault = (instanceId: string, fault: 'oom' | 'crash', exitCode: number) =>
    plane.cluster.setFault(namespace, podNameOf(instanceId), fault, { 'exit-code': String(exitCode) });
  return {
    host,
    fragileHost,
    spec: (behaviour) => {
      const spec = kubernetesSpec({ annotations: annotationsOf[behaviour] });
      logs.set(spec.instanceId, playServer(plane, namespace, spec.instanceId, behaviour));
      const bytes = 2 ** 40;
      if (behaviour !== 'too-large-for-any-node') return spec;
      return { ...spec, memoryRequestBytes: bytes, memoryLimitBytes: bytes };
    },
    endServer: async ({ instanceId }, exitCode) => {
      await setFault(instanceId, 'crash', exitCode);
      logs.get(instanceId)?.end();
    },
    exhaustMemory: ({ instanceId }) => setFault(instanceId, 'oom', 137),
    print: async ({ instanceId }, line) => {
      // A line that is asked for in one millisecond is not written in the same.
      await sleep(2);
      logs.get(instanceId)?.append([line]);
    },
    hang: async ({ instanceId }) => {
      const name = podNameOf(instanceId);
      await plane.cluster.setFault(namespace, name, 'never-ready');
      // As its kubelet would say after some probes that nobody answered.
      const conditions = [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }];
      await plane.cluster.setStatus(namespace, name, { conditions });
      return () => plane.cluster.setFault(namespace, name, null);
    },
    whileUnreachable: async (action) => {
      proxy.fail(503, 60_000);
      await action();
      proxy.pass();
    },
    close: async () => {
      await Promise.all([host.close(), fragileHost.close()]);
      await plane.stop();
    },
  };
}

/** What a model server would leave in a cluster: its log, and what it uses. */
function playServer(
  plane: ControlPlane,
  namespace: string,
  instanceId: string,
  behaviour: FixtureBehaviour,
): PodLog {
  const name = podNameOf(instanceId);
  plane.metrics.set(namespace, name, { cpuMillicores: 12, memoryBytes: 50 * MEBIBYTE });
  const log = plane.kubelet.beginLog(namespace, name);
  log.append([behaviour === 'crashes' ? 'the weights could not be read' : 'the server listens']);
  return log;
}
