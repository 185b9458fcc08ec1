import { randomUUID } from 'node:crypto';
import {
  InstanceRefusedError,
  NoRoomError,
  type HostEventListener,
  type HostListener,
  type HostUsage,
  type InstanceSpec,
  type InstanceTermination,
  type ModelHost,
  type ObservedInstance,
  type WatchedInstanceEvent,
} from '../../hosts/model-host.js';
import { makePod } from '../factories/make-pod.js';
import { MEBIBYTE } from '../factories/mebibyte.js';

/** A host without instances of its own: the test says what happens to them, and reads what was asked. */
export class PlayedHost implements ModelHost {
  readonly kind = 'test';
  readonly instances = new Map<string, ObservedInstance>();
  readonly created: InstanceSpec[] = [];
  readonly deleted: { instanceId: string; uid: string }[] = [];
  readonly logs = new Map<string, string>();
  /** What it keeps of what it reported. */
  readonly events: WatchedInstanceEvent[] = [];
  /** When set, every creation is refused with this sentence. */
  refusal: string | null = null;
  /** When set, it has no room for another instance, and says this sentence. */
  full: string | null = null;
  /** While true nothing is told to those who watch, as when they lag behind. */
  silent = false;
  usage: HostUsage = { instances: [], unmeasured: null, nodes: [], nodeGap: null };
  largestNodeBytes = 8192 * MEBIBYTE;
  healthy = true;
  readonly #listeners = new Set<HostListener>();
  readonly #eventListeners = new Set<HostEventListener>();
  #version = 0;

  createInstance(spec: InstanceSpec): Promise<ObservedInstance> {
    if (this.refusal) return Promise.reject(new InstanceRefusedError(this.refusal));
    const known = this.instances.get(spec.instanceId);
    if (known) return Promise.resolve(known);
    if (this.full) return Promise.reject(new NoRoomError('QuotaExceeded', this.full));
    this.created.push(spec);
    return Promise.resolve(this.place(spec.instanceId, spec.modelId));
  }

  watch(listener: HostListener) {
    this.#listeners.add(listener);
    listener({ type: 'listed', instances: [...this.instances.values()] });
    const isHealthy = () => this.healthy;
    return {
      get healthy() {
        return isHealthy();
      },
      close: () => void this.#listeners.delete(listener),
    };
  }

  watchEvents(listener: HostEventListener) {
    this.events.forEach(listener);
    this.#eventListeners.add(listener);
    return { healthy: true, close: () => void this.#eventListeners.delete(listener) };
  }

  /** The host reports something of an instance. */
  report(event: WatchedInstanceEvent): void {
    this.events.push(event);
    for (const listener of this.#eventListeners) listener(event);
  }

  deleteInstance(instanceId: string, uid: string): Promise<{ deleted: boolean }> {
    this.deleted.push({ instanceId, uid });
    const known = this.instances.get(instanceId);
    if (known?.uid !== uid) return Promise.resolve({ deleted: false });
    this.vanish(instanceId);
    return Promise.resolve({ deleted: true });
  }

  readLogs = (instanceId: string) => Promise.resolve(this.logs.get(instanceId) ?? null);
  async *followLogs() {
    // Nothing here follows logs.
  }
  listEvents = (instanceId: string) =>
    Promise.resolve(this.events.filter((event) => event.instanceId === instanceId));
  readUsage = () => Promise.resolve(this.usage);
  largestNodeMemoryBytes = () => Promise.resolve(this.largestNodeBytes);
  close = () => Promise.resolve();

  /** An instance appears, starting. */
  place(instanceId: string, modelId = 'model', over: Partial<ObservedInstance> = {}): ObservedInstance {
    return this.change(instanceId, {
      instanceId,
      modelId,
      uid: randomUUID(),
      phase: 'Pending',
      ready: false,
      waiting: null,
      address: null,
      node: null,
      restartCount: 0,
      lastTermination: null,
      createdAt: new Date().toISOString(),
      readyAt: null,
      terminating: false,
      pod: makePod(instanceId),
      ...over,
    });
  }

  /** It answers from now on. */
  makeReady(instanceId: string, address = '127.0.0.1:1'): ObservedInstance {
    return this.change(instanceId, { phase: 'Running', ready: true, address, node: 'node-1' });
  }

  /** Its server ends, as the host reports it. */
  die(instanceId: string, reason: string, exitCode: number | null = 1): ObservedInstance {
    const lastTermination: InstanceTermination = {
      reason,
      exitCode,
      signal: null,
      message: null,
      finishedAt: new Date().toISOString(),
    };
    return this.change(instanceId, { phase: 'Failed', ready: false, lastTermination });
  }

  /** It is gone without a word why. */
  vanish(instanceId: string): void {
    const instance = this.instances.get(instanceId);
    if (!instance) return;
    this.instances.delete(instanceId);
    this.#tell('gone', instance);
  }

  /** Tells everything anew, as after a gap. */
  list(): void {
    for (const listener of this.#listeners) {
      listener({ type: 'listed', instances: [...this.instances.values()] });
    }
  }

  change(instanceId: string, over: Partial<ObservedInstance>): ObservedInstance {
    const known = this.instances.get(instanceId);
    const instance = { ...known, ...over, resourceVersion: (this.#version += 1) } as ObservedInstance;
    this.instances.set(instanceId, instance);
    this.#tell('changed', instance);
    return instance;
  }

  #tell(type: 'changed' | 'gone', instance: ObservedInstance): void {
    if (this.silent) return;
    for (const listener of this.#listeners) listener({ type, instance });
  }
}
