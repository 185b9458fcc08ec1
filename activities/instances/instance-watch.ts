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
  /** Every event as the host tells it, for the one who writes rows; starts with what is known. */
  onEvent(listener: (event: HostEvent) => void): () => void;
  close(): void;
}

/** So many instances are remembered after they are gone: only until those who worked on them have looked. */
const GONE_REMEMBERED = 500;

/** One watch per worker: it only wakes who waits here, it writes nothing. */
export function watchInstances(host: ModelHost): InstanceWatch {
  const seen = new Map<string, ObservedInstance>();
  const gone = new LRUCache<string, ObservedInstance>({ max: GONE_REMEMBERED });
  const waiting = new Map<string, Set<() => void>>();
  const listeners = new Set<(event: HostEvent) => void>();
  let listed = false;

  const wake = (instanceId: string) => {
    for (const look of waiting.get(instanceId) ?? []) look();
  };

  function takeList(instances: readonly ObservedInstance[]): void {
    listed = true;
    const before = [...seen.values()];
    seen.clear();
    for (const instance of instances) seen.set(instance.instanceId, instance);
    for (const instance of before)
      if (!seen.has(instance.instanceId)) gone.set(instance.instanceId, instance);
    for (const instanceId of waiting.keys()) wake(instanceId);
  }

  /** @returns false for what is older than what is known */
  function takeChange(type: 'changed' | 'gone', instance: ObservedInstance): boolean {
    const known = seen.get(instance.instanceId);
    if (known?.uid === instance.uid && known.resourceVersion > instance.resourceVersion) return false;
    if (type === 'changed') seen.set(instance.instanceId, instance);
    else if (!known || known.uid === instance.uid) {
      seen.delete(instance.instanceId);
      gone.set(instance.instanceId, instance);
    }
    wake(instance.instanceId);
    return true;
  }

  function take(event: HostEvent): void {
    if (event.type === 'listed') takeList(event.instances);
    else if (!takeChange(event.type, event.instance)) return;
    for (const listener of listeners) listener(event);
  }

  const watch: HostWatch = host.watch(take);
  return {
    see: (instanceId) => seen.get(instanceId) ?? null,
    seeLast: (instanceId) => seen.get(instanceId) ?? gone.get(instanceId) ?? null,
    list: () => [...seen.values()],
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
      if (listed) listener({ type: 'listed', instances: [...seen.values()] });
      return () => void listeners.delete(listener);
    },
    close: () => watch.close(),
  };
}
