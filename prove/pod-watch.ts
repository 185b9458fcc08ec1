import type { ApiClient } from '../test/kubernetes/control-plane/api-client.js';
import { followPods } from '../test/kubernetes/control-plane/follow-pods.js';
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

/** Remembers every pod of a cluster by uid, past its end, with the moments at which its end was ordered and came. */
export class PodWatch {
  readonly #pods = new Map<string, WatchedPod>();
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;

  private constructor(private readonly admin: ApiClient) {
    this.#watching = this.#follow();
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

  #follow(): Promise<void> {
    const listener = {
      see: (pod: PodObject) => this.#see(pod),
      end: (pod: PodObject) => {
        this.#see(pod);
        this.#end(pod.metadata.uid);
      },
      present: (uids: ReadonlySet<string>) => {
        for (const { uid } of this.all) if (!uids.has(uid)) this.#end(uid);
      },
    };
    return followPods(this.admin, listener, { signal: this.#stopping.signal, tryAgainMs: lookAgainMs });
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
