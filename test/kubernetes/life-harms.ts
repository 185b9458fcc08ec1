/** What is done to instances and their cluster in the table of `life-table.spec.ts`. */
import { expect } from '@jest/globals';
import { ApiError } from './control-plane/api-client.js';
import { podPath } from './control-plane/cluster.js';
import type { LifeRow, LifeStage } from './life-stage.js';

/** A pod that matters more takes all the room of the node, and leaves again. */
export async function preempt(stage: LifeStage, node: string, pod: string): Promise<void> {
  const { plane } = stage;
  await plane.admin.ask('POST', '/apis/scheduling.k8s.io/v1/priorityclasses', {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'urgent' },
    value: 1000,
  });
  const urgent = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'urgent' },
    spec: {
      priorityClassName: 'urgent',
      nodeSelector: { story: node },
      tolerations: [{ key: 'story', operator: 'Exists' }],
      containers: [{ name: 'any', image: 'any', resources: { requests: { cpu: '500m' } } }],
    },
  };
  // The server knows a new priority a moment after it was made.
  await stage.until('the priority to be known', () =>
    plane.cluster.createPod('default', urgent).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ApiError && error.code === 403) return undefined;
        throw error;
      },
    ),
  );
  await stage.until('the preempted pod to go', async () =>
    (await stage.podNames()).includes(pod) ? undefined : true,
  );
  await plane.cluster.deletePod('default', 'urgent', 0);
}

/** Somebody deletes the pod and makes one that looks the same. */
export async function replace({ plane, namespace }: LifeStage, name: string, struck: LifeRow): Promise<void> {
  const { metadata, spec } = await plane.admin.ask<{
    metadata: { labels: object; annotations: object };
    spec: Record<string, unknown>;
  }>('GET', podPath(namespace, name));
  await plane.cluster.deletePod(namespace, name, 0);
  const { labels, annotations } = metadata;
  const copy = { ...spec, nodeName: undefined };
  const made = await plane.cluster.createPod(namespace, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels, annotations },
    spec: copy,
  });
  expect(made.metadata.uid).not.toBe(struck.uid);
}

/** The server ends and its pod goes on running, as it does for as long as any of its containers. */
export async function killServerAlone({ plane, namespace }: LifeStage, name: string): Promise<void> {
  await plane.cluster.setFault(namespace, name, 'never-ready');
  const { status } = await plane.admin.ask<{ status: { containerStatuses: { name: string }[] } }>(
    'GET',
    podPath(namespace, name),
  );
  const finishedAt = new Date().toISOString();
  const state = { terminated: { exitCode: 137, reason: 'OOMKilled', startedAt: finishedAt, finishedAt } };
  const containerStatuses = status.containerStatuses
    .map((each) => (each.name === 'model' ? { ...each, ready: false, started: false, state } : each))
    // By name, as a kubelet tells them.
    .sort((one, other) => one.name.localeCompare(other.name));
  const conditions = [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }];
  await plane.cluster.setStatus(namespace, name, { containerStatuses, conditions });
}
