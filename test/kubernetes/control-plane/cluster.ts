import { waitUntil } from '../../support/wait-until.js';
import { type ApiClient, mergePatch, strategicMergePatch } from './api-client.js';
import { hubRoleObjects, namespaceObject, nodeObject, type NodeSpec } from './cluster-objects.js';
import type { Kubelet } from './kubelet.js';
import { untilPermitted } from './until-permitted.js';

/** What can go wrong with a pod, in the words of the annotation `sim.test/fault` (see `kwok.yaml`). */
export const podFaults = [
  'oom',
  'crash',
  'image-pull',
  'invalid-image',
  'evict',
  'stuck-pending',
  'stuck-creating',
  'stuck-terminating',
  'never-ready',
] as const;
export type PodFault = (typeof podFaults)[number];

/** As much of a pod as specs look at. */
export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly ports?: readonly { readonly containerPort: number }[];
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
    }[];
  };
  readonly status: {
    readonly phase?: string;
    readonly reason?: string;
    readonly podIP?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ContainerStatus {
  readonly ready: boolean;
  readonly restartCount: number;
  readonly containerID?: string;
  readonly state: ContainerState;
  readonly lastState?: ContainerState;
}

interface ContainerState {
  readonly running?: { readonly startedAt: string };
  readonly waiting?: { readonly reason: string };
  readonly terminated?: { readonly exitCode: number; readonly reason: string };
}

const pace = { withinMs: 20_000, everyMs: 25 };
let namespaces = 0;

/** What an administrator and the machines do to a cluster. */
export class Cluster {
  constructor(
    private readonly admin: ApiClient,
    private readonly kubelet: Kubelet,
  ) {}

  /** A fresh namespace that refuses pods which are not restricted, and in which the hub may work. */
  async createNamespace(): Promise<string> {
    const name = `models-${process.pid}-${++namespaces}`;
    await this.admin.ask('POST', '/api/v1/namespaces', namespaceObject(name));
    for (const [path, object] of hubRoleObjects(name)) await this.admin.ask('POST', path, object);
    await untilPermitted(this.admin, 'hub', name);
    return name;
  }

  /** Adds a node; unless it is faulty or slow by annotation it is ready when this returns. */
  async addNode(spec: NodeSpec): Promise<void> {
    await this.admin.ask('POST', '/api/v1/nodes', nodeObject(spec, this.kubelet));
    this.kubelet.metrics.setNode(spec.name, { cpuMillicores: 0, memoryBytes: 0 });
    if (spec.annotations === undefined) await this.untilNode(spec.name, true);
  }

  /** Waits until the node is, or is not, ready. */
  async untilNode(name: string, ready: boolean): Promise<void> {
    await waitUntil(
      `node ${name} to be ${ready ? '' : 'not '}ready`,
      async () => {
        const { status } = await this.admin.ask<PodObject>('GET', `/api/v1/nodes/${name}`);
        const condition = status.conditions?.find(({ type }) => type === 'Ready');
        return (condition?.status === 'True') === ready ? true : undefined;
      },
      pace,
    );
  }

  /** Waits until the API server hands on what is asked of `metrics.k8s.io`: about three seconds after its start. */
  async untilMetrics(): Promise<void> {
    const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io';
    await waitUntil(
      'the API service of metrics to be available',
      async () => {
        const { status } = await this.admin.ask<PodObject>('GET', path);
        const condition = status.conditions?.find(({ type }) => type === 'Available');
        return condition?.status === 'True' ? true : undefined;
      },
      pace,
    );
  }

  /** The node is gone, and its pods with it, as the cluster's garbage collection sees to in time and says of each. */
  async removeNode(name: string): Promise<void> {
    await this.admin.ask('DELETE', `/api/v1/nodes/${name}`);
    const onNode = `/api/v1/pods?fieldSelector=spec.nodeName%3D${name}`;
    const { items } = await this.admin.ask<{ items: PodObject[] }>('GET', onNode);
    const reason = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' };
    const conditions = [{ ...reason, message: 'PodGC: node no longer exists' }];
    for (const { metadata } of items) {
      await this.setStatus(metadata.namespace, metadata.name, { phase: 'Failed', conditions });
      await this.deletePod(metadata.namespace, metadata.name, 0);
    }
  }

  /** Writes a part of a pod's status, as a kubelet or a controller does. */
  async setStatus(namespace: string, name: string, status: object): Promise<void> {
    await this.admin.ask('PATCH', `${podPath(namespace, name)}/status`, { status }, strategicMergePatch);
  }

  /** Evicts a pod as draining its node does. */
  async evictPod(namespace: string, name: string): Promise<void> {
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
    await this.admin.ask('POST', `${podPath(namespace, name)}/eviction`, eviction);
  }

  /** Deletes a pod as somebody else than the hub would. */
  async deletePod(namespace: string, name: string, gracePeriodSeconds?: number): Promise<void> {
    await this.admin.ask('DELETE', podPath(namespace, name), { gracePeriodSeconds });
  }

  /** Creates a pod from its object. */
  createPod(namespace: string, pod: object): Promise<PodObject> {
    return this.admin.ask('POST', `/api/v1/namespaces/${namespace}/pods`, pod);
  }

  pod(namespace: string, name: string): Promise<PodObject> {
    return this.admin.ask('GET', podPath(namespace, name));
  }

  /** Makes a live pod go wrong, or right again with null. `more` are further annotations, e.g. `exit-code`. */
  async setFault(
    namespace: string,
    name: string,
    fault: PodFault | null,
    more: Readonly<Record<string, string | null>> = {},
  ): Promise<void> {
    const annotations = Object.fromEntries(
      Object.entries({ fault, ...more }).map(([key, value]) => [`sim.test/${key}`, value]),
    );
    await this.admin.ask('PATCH', podPath(namespace, name), { metadata: { annotations } }, mergePatch);
  }

  /** Waits until the pod is as wanted, and gives it. */
  untilPod(namespace: string, name: string, wanted: (pod: PodObject) => boolean): Promise<PodObject> {
    let last: PodObject | undefined;
    return waitUntil(
      `pod ${name}`,
      async () => {
        last = await this.pod(namespace, name);
        return wanted(last) ? last : undefined;
      },
      { ...pace, describe: () => JSON.stringify(last?.status) },
    );
  }

  /** Waits until there is no pod of that name. */
  async untilGone(namespace: string, name: string): Promise<void> {
    const named = `/api/v1/namespaces/${namespace}/pods?fieldSelector=metadata.name%3D${name}`;
    const look = async () => {
      const { items } = await this.admin.ask<{ items: PodObject[] }>('GET', named);
      return items.length === 0 ? true : undefined;
    };
    await waitUntil(`pod ${name} to be gone`, look, pace);
  }
}

export const podPath = (namespace: string, name: string): string =>
  `/api/v1/namespaces/${namespace}/pods/${name}`;

/** Is the pod's server ready? */
export const isReady = (pod: PodObject): boolean =>
  pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
