import { LRUCache } from 'lru-cache';
import type { HostEvent, HostWatch, ModelHost, ObservedInstance } from '../../hosts/model-host.js';

/** What a worker sees of all instances right now, and a way to wait for one of them. */
export interface InstanceWatch {
  /** Null when the host does not have it (any more), as far as this worker has seen. */
  see(instanceId: string): ObservedInstance | null;
  /** How it looked when it was seen last, also after it is gone, if that was not long ago: it may say why it is gone. */
  seeLast(instanceId: string): ObservedInstance | null;
  /** Everything the host has, as far as this worker has seen. */
  list(): readonly ObservedInstance[];
  /** False until the host has been listed and while it can't be seen. */
  readonly current: boolean;
  /** Calls `look` at every change of this instance and after every gap. @returns a function that ends it */
  onChange(instanceId: string, look: () => void): () => void;
  /** Every event as the host tells it, for the one who writes rows. @returns a function that ends it */
  onEvent(listener: (event: HostEvent) => void): () => void;
  close(): void;
}

/** So many instances are remembered after they are gone: only until those who worked on them have looked. */
const GONE_REMEMBERED = 500;

/** Instances as they were seen last, those that are gone for a while too. */
class SeenInstances {
  readonly #here = new Map<string, ObservedInstance>();
  readonly #gone = new LRUCache<string, ObservedInstance>({ max: GONE_REMEMBERED });

  get(instanceId: string): ObservedInstance | null {
    return this.#here.get(instanceId) ?? null;
  }

  getLast(instanceId: string): ObservedInstance | null {
    return this.get(instanceId) ?? this.#gone.get(instanceId) ?? null;
  }

  list(): ObservedInstance[] {
    return [...this.#here.values()];
  }

  replace(instances: readonly ObservedInstance[]): void {
    const before = this.list();
    this.#here.clear();
    for (const instance of instances) this.#here.set(instance.instanceId, instance);
    for (const instance of before)
      if (!this.#here.has(instance.instanceId)) this.#gone.set(instance.instanceId, instance);
  }

  /** @returns false for what is older than what is known */
  take(type: 'changed' | 'gone', instance: ObservedInstance): boolean {
    const known = this.#here.get(instance.instanceId);
    if (known?.uid === instance.uid && known.resourceVersion > instance.resourceVersion) return false;
    if (type === 'changed') this.#here.set(instance.instanceId, instance);
    else if (!known || known.uid === instance.uid) {
      this.#here.delete(instance.instanceId);
      this.#gone.set(instance.instanceId, instance);
    }
    return true;
  }
}

/** One watch per worker: it only wakes who waits here, it writes nothing. */
export function watchInstances(host: ModelHost): InstanceWatch {
  const seen = new SeenInstances();
  const waiting = new Map<string, Set<() => void>>();
  const listeners = new Set<(event: HostEvent) => void>();
  let listed = false;

  const wake = (instanceId: string) => {
    for (const look of waiting.get(instanceId) ?? []) look();
  };

  function take(event: HostEvent): void {
    if (event.type === 'listed') {
      listed = true;
      seen.replace(event.instances);
      for (const instanceId of waiting.keys()) wake(instanceId);
    } else {
      if (!seen.take(event.type, event.instance)) return;
      wake(event.instance.instanceId);
    }
    for (const listener of listeners) listener(event);
  }

  const watch: HostWatch = host.watch(take);
  return {
    see: (instanceId) => seen.get(instanceId),
    seeLast: (instanceId) => seen.getLast(instanceId),
    list: () => seen.list(),
    get current() {
      return listed && watch.healthy;
    },
    onChange(instanceId, look) {
      const own = waiting.get(instanceId) ?? new Set();
      waiting.set(instanceId, own.add(look));
      return () => {
        own.delete(look);
        if (own.size === 0 && waiting.get(instanceId) === own) waiting.delete(instanceId);
      };
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => watch.close(),
  };
}
