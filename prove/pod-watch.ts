import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../test/kubernetes/control-plane/api-client.js';
import type { WatchedPod } from './pod-owners.js';

const lookAgainMs = 100;

interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
  };
}

interface PodList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly PodObject[];
}

/** Remembers every pod of a cluster by uid, past its end, with the moments at which its end was ordered and came. */
export class PodWatch {
  readonly #pods = new Map<string, WatchedPod>();
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;

  private constructor(private readonly admin: ApiClient) {
    this.#watching = this.#watch();
  }

  static start(admin: ApiClient): PodWatch {
    return new PodWatch(admin);
  }

  get all(): readonly WatchedPod[] {
    return [...this.#pods.values()];
  }

  /** Those of the namespace that exist now. */
  present(namespace: string): readonly WatchedPod[] {
    return this.all.filter((pod) => pod.namespace === namespace && pod.goneAtMs === null);
  }

  /** @throws Error when watching ended by a fault: what was seen is not all there was */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const { metadata, items } = await this.admin.ask<PodList>('GET', '/api/v1/pods');
        const here = new Set(items.map((pod) => pod.metadata.uid));
        for (const { uid } of this.all) if (!here.has(uid)) this.#end(uid);
        for (const pod of items) this.#see(pod);
        const path = `/api/v1/pods?watch=true&resourceVersion=${metadata.resourceVersion}`;
        await this.admin.watch(path, ({ type, object }) => this.#hear(type, object as PodObject), signal);
      } catch (error) {
        if (!signal.aborted && !isUnreachable(error)) throw error;
      }
      await sleep(lookAgainMs);
    }
  }

  #hear(type: string, pod: PodObject): void {
    if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') this.#see(pod);
    if (type === 'DELETED') this.#end(pod.metadata.uid);
  }

  #see({ metadata }: PodObject): void {
    const { uid, name, namespace, labels = {}, creationTimestamp, deletionTimestamp } = metadata;
    const known = this.#pods.get(uid);
    const endOrderedAtMs = known?.endOrderedAtMs ?? (deletionTimestamp ? Date.now() : null);
    const createdAtMs = Date.parse(creationTimestamp);
    const goneAtMs = known?.goneAtMs ?? null;
    this.#pods.set(uid, { uid, name, namespace, labels, createdAtMs, endOrderedAtMs, goneAtMs });
  }

  #end(uid: string): void {
    const pod = this.#pods.get(uid);
    if (!pod || pod.goneAtMs !== null) return;
    const now = Date.now();
    this.#pods.set(uid, { ...pod, endOrderedAtMs: pod.endOrderedAtMs ?? now, goneAtMs: now });
  }
}

/** A connection that broke: the API server was killed, or closed an old one. */
function isUnreachable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
