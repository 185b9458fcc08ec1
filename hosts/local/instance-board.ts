import type {
  HostEvent,
  HostEventListener,
  HostInstanceEvent,
  HostListener,
  LogOptions,
  WatchedInstanceEvent,
} from '../model-host.js';
import { readInstanceLog } from './instance-log.js';
import type { InstanceFolders, InstanceRecord } from './instance-record.js';
import { toObservedInstance } from './to-observed-instance.js';

/** Logs and events of deleted instances stay readable until so many more were deleted. */
const KEPT_DELETED_INSTANCES = 200;
/** Versions begin at the time in microseconds, so they grow across restarts of the host whatever was lost. */
const VERSIONS_PER_MS = 1000;

/** What is known of every instance: kept on disk, told to whoever watches, with one growing version. */
export class InstanceBoard {
  readonly #folders: InstanceFolders;
  readonly #records = new Map<string, InstanceRecord>();
  readonly #deleted: InstanceRecord[];
  readonly #listeners = new Set<HostListener>();
  readonly #eventListeners = new Set<HostEventListener>();
  #version: number;

  /** @param records what is on disk, oldest first */
  constructor(folders: InstanceFolders, records: readonly InstanceRecord[]) {
    this.#folders = folders;
    const versions = records.map((record) => record.resourceVersion);
    this.#version = versions.reduce((a, b) => Math.max(a, b), Date.now() * VERSIONS_PER_MS);
    for (const record of records) {
      if (record.deletedAt === null) this.#records.set(record.spec.instanceId, record);
    }
    this.#deleted = records
      .filter((record) => record.deletedAt !== null)
      .sort((a, b) => (a.deletedAt ?? '').localeCompare(b.deletedAt ?? ''));
    this.#pruneDeleted();
  }

  /** Every instance that was not deleted, in the order of creation. */
  get records(): InstanceRecord[] {
    return [...this.#records.values()];
  }

  get(instanceId: string): InstanceRecord | undefined {
    return this.#records.get(instanceId);
  }

  add(record: InstanceRecord): void {
    this.#records.set(record.spec.instanceId, record);
    this.changed(record);
  }

  /** To be called after every change of a record: keeps it, then tells it. */
  changed(record: InstanceRecord): void {
    record.resourceVersion = ++this.#version;
    this.#folders.save(record);
    this.#tell({ type: 'changed', instance: toObservedInstance(record) });
  }

  remove(record: InstanceRecord): void {
    this.#records.delete(record.spec.instanceId);
    record.deletedAt = new Date().toISOString();
    record.resourceVersion = ++this.#version;
    this.#folders.save(record);
    this.#deleted.push(record);
    this.#pruneDeleted();
    this.#tell({ type: 'gone', instance: toObservedInstance(record) });
  }

  /** Tells the instances as they are now, then every change. Returns how to stop. */
  watch(listener: HostListener): () => void {
    listener({ type: 'listed', instances: this.records.map(toObservedInstance) });
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  addEvent(record: InstanceRecord, type: HostInstanceEvent['type'], reason: string, message: string): void {
    const kept = this.#folders.addEvent(record.uid, type, reason, message);
    if (!kept) return;
    const told = withInstance(record, kept);
    for (const listener of this.#eventListeners) listener(told);
  }

  /** Tells the events that are kept, also of deleted instances, then every new one. Returns how to stop. */
  watchEvents(listener: HostEventListener): () => void {
    for (const record of [...this.#deleted, ...this.#records.values()])
      this.#eventsOf(record).forEach(listener);
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** The log of the instance, or of the last deleted one of this id; null when there is none. */
  readLogs(instanceId: string, options: LogOptions): string | null {
    const record = this.#find(instanceId);
    return record ? readInstanceLog(this.folderOf(record), options) : null;
  }

  readEvents(instanceId: string): WatchedInstanceEvent[] {
    const record = this.#find(instanceId);
    return record ? this.#eventsOf(record) : [];
  }

  folderOf(record: InstanceRecord): string {
    return this.#folders.of(record.uid);
  }

  #eventsOf(record: InstanceRecord): WatchedInstanceEvent[] {
    return this.#folders.readEvents(record.uid).map((event) => withInstance(record, event));
  }

  #find(instanceId: string): InstanceRecord | undefined {
    const deleted = this.#deleted.findLast((record) => record.spec.instanceId === instanceId);
    return this.#records.get(instanceId) ?? deleted;
  }

  #tell(event: HostEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #pruneDeleted(): void {
    const surplus = Math.max(0, this.#deleted.length - KEPT_DELETED_INSTANCES);
    for (const record of this.#deleted.splice(0, surplus)) this.#folders.remove(record.uid);
  }
}

const withInstance = ({ spec, uid }: InstanceRecord, event: HostInstanceEvent): WatchedInstanceEvent => ({
  ...event,
  instanceId: spec.instanceId,
  uid,
});
