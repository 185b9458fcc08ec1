import type { V1Pod } from '@kubernetes/client-node';
import { HostUnavailableError, InstanceRefusedError, NoRoomError } from '../model-host.js';
import { type ClusterApi, ClusterRefusal } from './cluster-api.js';
import { type HubIdentity, ownLabels } from './hub-labels.js';
import { type PodObject, podObject } from './pod-object.wire.js';

const NOT_FOUND = 404;
const CONFLICT = 409;
const FORBIDDEN = 403;
const MS_PER_SECOND = 1000;

export interface HubPodsParts {
  readonly api: ClusterApi;
  readonly hub: HubIdentity;
  readonly namespace: string;
  readonly gracePeriodSeconds: number;
  /** Beyond its grace period, after which a pod that still exists is deleted without waiting for its node. */
  readonly forceDeleteSeconds: number;
}

/** Makes and deletes pods of one hub. It never changes a pod that does not carry the hub's labels. */
export class HubPods {
  readonly #parts: HubPodsParts;
  readonly path: string;

  constructor(parts: HubPodsParts) {
    this.#parts = parts;
    this.path = `/api/v1/namespaces/${encodeURIComponent(parts.namespace)}/pods`;
  }

  /**
   * Makes the pod, or gives the one that an earlier call of the same name made.
   * @throws InstanceRefusedError when the cluster will never take it; NoRoomError or HostUnavailableError when it may later
   */
  async create(pod: V1Pod): Promise<PodObject> {
    try {
      return podObject.parse(await this.#parts.api.json({ method: 'POST', path: this.path, body: pod }));
    } catch (error) {
      if (!(error instanceof ClusterRefusal)) throw error;
      if (error.reason === 'AlreadyExists') return this.#readOwn(pod.metadata?.name ?? '');
      throw explainRefusal(error);
    }
  }

  /** False when there is no pod of this name with this uid. Asked again later, it ends a pod that hangs by force. */
  async delete(name: string, uid: string): Promise<boolean> {
    const { api, gracePeriodSeconds, forceDeleteSeconds } = this.#parts;
    const answer = await this.#delete(name, uid, gracePeriodSeconds);
    if (answer === null) return false;
    const endsBy = podObject.safeParse(answer).data?.metadata.deletionTimestamp;
    const isStuck = endsBy != null && api.now() > Date.parse(endsBy) + forceDeleteSeconds * MS_PER_SECOND;
    if (isStuck) await this.#delete(name, uid, 0);
    return true;
  }

  async #delete(name: string, uid: string, gracePeriodSeconds: number): Promise<unknown> {
    const path = `${this.path}/${encodeURIComponent(name)}`;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds, preconditions: { uid } };
    try {
      return await this.#parts.api.json({ method: 'DELETE', path, body });
    } catch (error) {
      if (!(error instanceof ClusterRefusal)) throw error;
      if (error.status === NOT_FOUND || error.status === CONFLICT) return null;
      throw toHostError(error);
    }
  }

  async #readOwn(name: string): Promise<PodObject> {
    const { api, hub, namespace } = this.#parts;
    try {
      const pod = podObject.parse(await api.json({ path: `${this.path}/${encodeURIComponent(name)}` }));
      const { labels } = pod.metadata;
      if (Object.entries(ownLabels(hub)).every(([key, value]) => labels[key] === value)) return pod;
    } catch (error) {
      if (!(error instanceof ClusterRefusal)) throw error;
      throw toHostError(error);
    }
    throw new InstanceRefusedError(
      `the namespace ${namespace} has a pod ${name} that is not of the hub ${hub.name} with the id ${hub.id}: delete it if it is nobody's, or give the hub a MODELS_NAMESPACE of its own`,
    );
  }
}

/** What the cluster's refusal of a new pod means for the instance: never, or not now. */
export function explainRefusal(error: ClusterRefusal): Error {
  if (isQuota(error)) return new NoRoomError('QuotaExceeded', error.told, { cause: error });
  if (error.passing || error.status === CONFLICT) return toHostError(error);
  if (error.status === FORBIDDEN && error.told.includes('cannot create resource')) {
    return new InstanceRefusedError(
      `the hub may not create pods (${error.told}): apply deploy/kubernetes/role.yaml for its account`,
      { cause: error },
    );
  }
  return new InstanceRefusedError(`the cluster refused the pod: ${error.told || error.reason}`, {
    cause: error,
  });
}

/** Place may come free: the instance waits for it like for a node. */
function isQuota({ status, told }: ClusterRefusal): boolean {
  return status === FORBIDDEN && told.includes('exceeded quota');
}

/** Says of a refusal that the call may be tried again. */
export function toHostError(error: ClusterRefusal): HostUnavailableError {
  return new HostUnavailableError(error.message, { cause: error });
}
