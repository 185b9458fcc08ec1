import type { ControlPlane } from '../test/kubernetes/control-plane/control-plane.js';
import type { TrueChange } from './compare-watches.js';

interface StoredPod {
  readonly metadata: { readonly uid: string };
}

/** Every change of a namespace's pods, from the store itself. */
export class PodTruth {
  readonly changes: TrueChange[] = [];
  readonly #present = new Set<string>();
  readonly #ending = new AbortController();

  static async follow(plane: ControlPlane, namespace: string): Promise<PodTruth> {
    const truth = new PodTruth();
    await plane.watchPodStore(
      namespace,
      ({ type, version, object }) => {
        const { uid } = (object as StoredPod).metadata;
        const ended = type === 'delete';
        if (ended) truth.#present.delete(uid);
        else truth.#present.add(uid);
        truth.changes.push({ uid, version, ended, at: Date.now() });
      },
      truth.#ending.signal,
    );
    return truth;
  }

  /** How many pods there are. */
  get pods(): number {
    return this.#present.size;
  }

  /** The first change that was made after a time, ms. */
  firstAfter(at: number): TrueChange | undefined {
    const last = this.changes.findLastIndex((change) => change.at <= at);
    return this.changes[last + 1];
  }

  close(): void {
    this.#ending.abort();
  }
}
