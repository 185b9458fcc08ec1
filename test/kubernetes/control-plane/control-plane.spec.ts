import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { loadYaml } from '@kubernetes/client-node';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryRoot } from '../../../local/repository.js';
import { describeWith } from '../../support/require-part.js';
import type { ApiClient } from './api-client.js';
import { clientOf } from './client-of.js';
import { isReady, type PodObject } from './cluster.js';
import { type ControlPlane, startControlPlane } from './control-plane.js';

const gibibyte = 1024 ** 3;
let pods = 0;

/** A pod that the restricted standard lets in. */
function restrictedPod(annotations: Record<string, string> = {}, more: object = {}) {
  pods += 1;
  const resources = { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '128Mi' } };
  return {
    metadata: {
      name: `pod-${pods}`,
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([name, value]) => [`sim.test/${name}`, value]),
      ),
    },
    spec: {
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'model',
          image: 'ersiliaos/eos-physchem:v1',
          resources,
          ports: [{ containerPort: 8080 }],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
      ...more,
    },
  };
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface RulesStatus {
  readonly incomplete: boolean;
  readonly resourceRules: readonly Rule[];
}

const permissionsIn = ({ apiGroups, resources, verbs }: Rule): string[] =>
  apiGroups.flatMap((group) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}.${group || 'core'}`)),
  );

/** All that a role of `deploy/` permits. */
function deployedPermissions(file: string): string[] {
  const text = readFileSync(join(repositoryRoot(), 'deploy/kubernetes', file), 'utf8');
  return loadYaml<{ rules: readonly Rule[] }>(text).rules.flatMap(permissionsIn);
}

describeWith('kubernetes')('a control plane for tests', () => {
  let plane: ControlPlane;
  let namespace: string;
  let hub: ApiClient;
  const begin = (annotations?: Record<string, string>, more?: object) =>
    plane.cluster.createPod(namespace, restrictedPod(annotations, more));
  const until = (pod: PodObject, wanted: (now: PodObject) => boolean) =>
    plane.cluster.untilPod(namespace, pod.metadata.name, wanted);
  const waitingReason = (reason: string) => (pod: PodObject) =>
    pod.status.containerStatuses?.[0]?.state.waiting?.reason === reason;

  beforeAll(async () => {
    plane = await startControlPlane();
    namespace = await plane.cluster.createNamespace();
    await plane.cluster.addNode({ name: 'node-1', cpuMillicores: 4000, memoryBytes: 8 * gibibyte });
    hub = clientOf(await plane.kubeconfig('hub'));
    await plane.cluster.untilMetrics();
  }, 120_000);
  afterAll(async () => {
    hub?.close();
    await plane?.stop();
  });

  it('binds a pod to a node, runs it and makes it ready on an address of its own', async () => {
    const pod = await until(await begin(), isReady);
    expect(pod.spec.nodeName).toBe('node-1');
    expect(pod.status.podIP).toMatch(/^127\.\d+\.\d+\.\d+$/);
  });

  it('refuses a pod that is not restricted', async () => {
    const pod = restrictedPod({}, { securityContext: {} });
    await expect(plane.cluster.createPod(namespace, pod)).rejects.toThrow(/403.*violates PodSecurity/);
  });

  it('leaves a pod that fits nowhere pending, with the reason of the scheduler', async () => {
    const large = restrictedPod();
    large.spec.containers[0]!.resources.requests.cpu = '64';
    const created = await plane.cluster.createPod(namespace, large);
    const pod = await until(created, ({ status }) =>
      Boolean(status.conditions?.some(({ reason }) => reason === 'Unschedulable')),
    );
    const scheduled = pod.status.conditions?.find(({ type }) => type === 'PodScheduled');
    expect(scheduled?.message).toContain('Insufficient cpu');
  });

  it.each([
    ['pods in another namespace', 'GET', '/api/v1/namespaces/kube-system/pods'],
    ['pods in all namespaces', 'GET', '/api/v1/pods'],
    ['secrets', 'GET', '/api/v1/namespaces/NAMESPACE/secrets'],
    ['removing nodes', 'DELETE', '/api/v1/nodes/node-1'],
    ['commands in a pod', 'POST', '/api/v1/namespaces/NAMESPACE/pods/any/exec?command=ls'],
    ['the proxy of a node', 'GET', '/api/v1/nodes/node-1/proxy/metrics'],
  ])('denies the hub %s', async (_what, method, path) => {
    const asked = hub.ask(method, path.replace('NAMESPACE', namespace));
    await expect(asked).rejects.toMatchObject({ code: 403, reason: 'Forbidden' });
  });

  /** All that a user may do with objects of a namespace, as `verb resource.group`; RBAC only adds, so all else is denied. */
  async function permissionsOf(user: 'hub' | 'hub-without-nodes', where: string): Promise<Set<string>> {
    const client = clientOf(await plane.kubeconfig(user));
    const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
    const { status } = await client.ask<{ status: RulesStatus }>('POST', path, {
      spec: { namespace: where },
    });
    client.close();
    expect(status.incomplete).toBe(false);
    return new Set(status.resourceRules.flatMap(permissionsIn));
  }

  it('lets the hub do what is deployed for it, and denies it everything else', async () => {
    const everyones = [
      'create selfsubjectaccessreviews.authorization.k8s.io',
      'create selfsubjectrulesreviews.authorization.k8s.io',
      'create selfsubjectreviews.authentication.k8s.io',
    ];
    const role = deployedPermissions('role.yaml');
    const clusterRole = deployedPermissions('cluster-role.yaml');
    expect(await permissionsOf('hub', namespace)).toEqual(new Set([...everyones, ...role, ...clusterRole]));
    expect(await permissionsOf('hub', 'kube-system')).toEqual(new Set([...everyones, ...clusterRole]));
    expect(await permissionsOf('hub-without-nodes', namespace)).toEqual(new Set([...everyones, ...role]));
    expect(await permissionsOf('hub-without-nodes', 'kube-system')).toEqual(new Set(everyones));
    expect(role).not.toContain('create pods/portforward.core');
  });

  it('shows nodes and their metrics to the hub, unless it is the one that may not see them', async () => {
    const blind = clientOf(await plane.kubeconfig('hub-without-nodes'));
    for (const path of ['/api/v1/nodes', '/apis/metrics.k8s.io/v1beta1/nodes']) {
      expect(await hub.ask('GET', path)).toMatchObject({ items: [{ metadata: { name: 'node-1' } }] });
      await expect(blind.ask('GET', path)).rejects.toMatchObject({ code: 403 });
    }
    expect(await blind.ask('GET', `/api/v1/namespaces/${namespace}/pods`)).toHaveProperty('items');
    blind.close();
  });

  it('gives a pod’s log as its kubelet has it', async () => {
    const pod = await until(await begin(), isReady);
    const { name } = pod.metadata;
    const log = `/api/v1/namespaces/${namespace}/pods/${name}/log`;
    await expect(hub.ask('GET', log)).rejects.toMatchObject({ code: 400 });
    plane.kubelet.setLog(namespace, name, ['one', 'two', 'three'], '2026-01-01T00:00:01.000Z');
    expect(await hub.ask('GET', `${log}?tailLines=2`)).toBe('two\nthree\n');
    expect(await hub.ask('GET', `${log}?limitBytes=6&timestamps=false`)).toBe('one\ntw');
    expect(await hub.ask('GET', `${log}?tailLines=1&timestamps=true`)).toBe(
      '2026-01-01T00:00:01.000Z three\n',
    );
    expect(await hub.ask('GET', `${log}?sinceTime=2026-01-01T00:00:02Z`)).toBe('');
    plane.kubelet.beginLog(namespace, name).append(['second run']);
    expect(await hub.ask('GET', log)).toBe('second run\n');
    expect(await hub.ask('GET', `${log}?previous=true`)).toBe('one\ntwo\nthree\n');
  });

  it('says what pods use, and counts who asks', async () => {
    plane.metrics.set(namespace, 'measured', { cpuMillicores: 250, memoryBytes: 64 * 1024 ** 2 });
    const before = plane.metrics.requests;
    const metrics = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`;
    expect(await hub.ask('GET', metrics)).toMatchObject({
      items: [{ containers: [{ usage: { cpu: '250000000n', memory: '65536Ki' } }] }],
    });
    expect(plane.metrics.requests).toBe(before + 1);
  });

  it('kills a container for its memory, and runs it again', async () => {
    const created = await begin({ 'restart-delay': '1s' });
    await until(created, isReady);
    await plane.cluster.setFault(namespace, created.metadata.name, 'oom');
    const dead = await until(created, waitingReason('CrashLoopBackOff'));
    const [container] = dead.status.containerStatuses!;
    expect(container!.lastState!.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    await plane.cluster.setFault(namespace, created.metadata.name, null);
    const again = await until(created, isReady);
    // Until its fault is taken back it may be killed once more.
    expect(again.status.containerStatuses![0]!.restartCount).toBeGreaterThan(container!.restartCount);
  });

  it('lets a pod that is not restarted fail with its exit code', async () => {
    const created = await begin({ fault: 'crash', 'exit-code': '3' }, { restartPolicy: 'Never' });
    const pod = await until(created, ({ status }) => status.phase === 'Failed');
    expect(pod.status.containerStatuses![0]!.state.terminated).toMatchObject({
      exitCode: 3,
      reason: 'Error',
    });
  });

  it('can not pull an image', async () => {
    const created = await begin({ fault: 'image-pull', 'pull-delay': '100ms' });
    await until(created, waitingReason('ErrImagePull'));
    await until(created, waitingReason('ImagePullBackOff'));
  });

  it('evicts a pod', async () => {
    const created = await begin();
    await until(created, isReady);
    await plane.cluster.setFault(namespace, created.metadata.name, 'evict');
    const pod = await until(created, ({ status }) => status.phase === 'Failed');
    expect(pod.status.reason).toBe('Evicted');
  });

  it('holds a pod before its start, in its creation, and before it is ready', async () => {
    const stuck = await begin({ fault: 'stuck-pending' });
    const creating = await begin({ fault: 'stuck-creating' });
    const unready = await begin({ fault: 'never-ready' });
    const running = await until(unready, ({ status }) => status.phase === 'Running');
    expect(isReady(running)).toBe(false);
    await until(creating, waitingReason('ContainerCreating'));
    const bound = await until(stuck, ({ spec }) => spec.nodeName === 'node-1');
    expect(bound.status.containerStatuses).toBeUndefined();
    await plane.cluster.setFault(namespace, unready.metadata.name, null);
    await until(unready, isReady);
  });

  it('keeps a pod that does not end until it is removed by force', async () => {
    const created = await begin({ fault: 'stuck-terminating' });
    await until(created, isReady);
    const { name } = created.metadata;
    await plane.cluster.deletePod(namespace, name);
    await until(created, ({ metadata }) => metadata.deletionTimestamp !== undefined);
    await plane.cluster.deletePod(namespace, name, 0);
    await expect(plane.cluster.pod(namespace, name)).rejects.toMatchObject({ code: 404 });
  });

  it('takes a node away with its pods', async () => {
    await plane.cluster.addNode({ name: 'node-2', cpuMillicores: 8000, memoryBytes: gibibyte });
    const created = await begin({}, { nodeName: 'node-2' });
    await until(created, isReady);
    await plane.cluster.removeNode('node-2');
    await expect(plane.cluster.pod(namespace, created.metadata.name)).rejects.toMatchObject({ code: 404 });
  });

  it('has its API server back, with everything in it, after a kill', async () => {
    const created = await begin();
    await plane.killApiServer();
    // Asked on a connection of before, it is found dead in the middle.
    await expect(plane.cluster.pod(namespace, created.metadata.name)).rejects.toMatchObject({
      code: expect.stringMatching(/^(ECONNREFUSED|ECONNRESET|EPIPE)$/),
    });
    await plane.startApiServer();
    await until(created, isReady);
  }, 60_000);
});

describeWith('kubernetes')('a control plane that runs model servers', () => {
  const models = resolve('local/models/models.json');
  let plane: ControlPlane;
  let namespace: string;
  beforeAll(async () => {
    plane = await startControlPlane({ models });
    namespace = await plane.cluster.createNamespace();
    await plane.cluster.addNode({ name: 'node-1', cpuMillicores: 4000, memoryBytes: 8 * gibibyte });
  }, 120_000);
  afterAll(() => plane?.stop());

  it('has a model’s real server on the address of its pod, and its words in the log', async () => {
    const created = await plane.cluster.createPod(namespace, restrictedPod());
    const { name } = created.metadata;
    const { status } = await plane.cluster.untilPod(namespace, name, isReady);
    const answer = await fetch(`http://${status.podIP}:8080/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '["CCO"]',
    });
    expect(await answer.json()).toEqual([expect.objectContaining({ veber_pass: true })]);
    const log = await plane.admin.ask('GET', `/api/v1/namespaces/${namespace}/pods/${name}/log`);
    expect(log).toContain(`listens on ${status.podIP}:8080`);
    await plane.cluster.deletePod(namespace, name);
    const health = async () => (await fetch(`http://${status.podIP}:8080/healthz`)).ok;
    while (await health().catch(() => false)) await sleep(25);
    // Its server may end a moment before the pod is taken away.
    await plane.cluster.untilGone(namespace, name);
  });
});
