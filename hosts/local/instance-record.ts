import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { HostInstanceEvent, InstancePhase, InstanceSpec, InstanceTermination } from '../model-host.js';

/** What the host remembers of one instance, in a folder of its own beside its log. */
export interface InstanceRecord {
  readonly spec: InstanceSpec;
  readonly uid: string;
  readonly createdAt: string;
  resourceVersion: number;
  phase: InstancePhase;
  waiting: { reason: string; message: string } | null;
  node: string | null;
  port: number | null;
  /** Pid and start of its server: together they name one process for ever. */
  process: { pid: number; startTicks: number } | null;
  readyAt: string | null;
  ready: boolean;
  lastTermination: InstanceTermination | null;
  terminating: boolean;
  deletedAt: string | null;
}

export function newInstanceRecord(spec: InstanceSpec, uid: string, createdAt: string): InstanceRecord {
  return {
    spec,
    uid,
    createdAt,
    resourceVersion: 0,
    phase: 'Pending',
    waiting: null,
    node: null,
    port: null,
    process: null,
    readyAt: null,
    ready: false,
    lastTermination: null,
    terminating: false,
    deletedAt: null,
  };
}

/** The folders `<data>/<uid>/` with record, events and log of every instance, also of the last deleted ones. */
export class InstanceFolders {
  /** Events of each instance so far: an event's place among them is its id. */
  readonly #eventCounts = new Map<string, number>();

  constructor(readonly root: string) {
    mkdirSync(root, { recursive: true });
  }

  of(uid: string): string {
    return join(this.root, uid);
  }

  /** Replaces the record in one step: a reader finds the old one or the new one. */
  save(record: InstanceRecord): void {
    const path = join(this.of(record.uid), 'record.json');
    mkdirSync(this.of(record.uid), { recursive: true });
    writeFileSync(`${path}.new`, JSON.stringify(record));
    renameSync(`${path}.new`, path);
  }

  /** All records, oldest first. @param warn told of records that can't be read; they are passed over */
  load(warn: (text: string) => void): InstanceRecord[] {
    const records: InstanceRecord[] = [];
    for (const uid of readdirSync(this.root)) {
      try {
        records.push(JSON.parse(readFileSync(join(this.of(uid), 'record.json'), 'utf8')) as InstanceRecord);
      } catch (error) {
        warn(
          `what was known of the instance in ${this.of(uid)} can't be read and is left out: ${String(error)}`,
        );
      }
    }
    return records.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  remove(uid: string): void {
    this.#eventCounts.delete(uid);
    rmSync(this.of(uid), { recursive: true, force: true });
  }

  addEvent(uid: string, type: HostInstanceEvent['type'], reason: string, message: string): HostInstanceEvent {
    const event = { at: new Date().toISOString(), type, reason, message };
    const index = this.#eventCounts.get(uid) ?? this.readEvents(uid).length;
    this.#eventCounts.set(uid, index + 1);
    mkdirSync(this.of(uid), { recursive: true });
    appendFileSync(join(this.of(uid), 'events.ndjson'), `${JSON.stringify(event)}\n`);
    return toHostEvent(uid, event, index);
  }

  readEvents(uid: string): HostInstanceEvent[] {
    const path = join(this.of(uid), 'events.ndjson');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    return lines
      .map((line) => JSON.parse(line) as KeptEvent)
      .map((event, index) => toHostEvent(uid, event, index));
  }
}

type KeptEvent = Omit<HostInstanceEvent, 'raw' | 'id'>;

function toHostEvent(uid: string, event: KeptEvent, index: number): HostInstanceEvent {
  return { ...event, id: `${uid}-${index}`, raw: event };
}
