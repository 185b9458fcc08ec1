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
  readonly #warn: (text: string) => void;

  /** @param warn told of what can't be read or kept; the host goes on without it */
  constructor(
    readonly root: string,
    warn: (text: string) => void,
  ) {
    this.#warn = warn;
    mkdirSync(root, { recursive: true });
  }

  of(uid: string): string {
    return join(this.root, uid);
  }

  /** Replaces the record in one step: a reader finds the old one or the new one. */
  save(record: InstanceRecord): void {
    const path = join(this.of(record.uid), 'record.json');
    this.#keep(record.uid, 'the record', () => {
      writeFileSync(`${path}.new`, JSON.stringify(record));
      renameSync(`${path}.new`, path);
    });
  }

  /** All records, oldest first; those that can't be read are passed over. */
  load(): InstanceRecord[] {
    const records: InstanceRecord[] = [];
    for (const uid of readdirSync(this.root)) {
      try {
        records.push(JSON.parse(readFileSync(join(this.of(uid), 'record.json'), 'utf8')) as InstanceRecord);
      } catch (error) {
        this.#warn(
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

  /** @returns the event; null when it could not be kept, and so has no place among the others */
  addEvent(
    uid: string,
    type: HostInstanceEvent['type'],
    reason: string,
    message: string,
  ): HostInstanceEvent | null {
    const event = { at: new Date().toISOString(), type, reason, message };
    const index = this.#eventCounts.get(uid) ?? this.#eventLines(uid).length;
    const line = `${JSON.stringify(event)}\n`;
    if (!this.#keep(uid, 'an event', () => appendFileSync(this.#eventsPath(uid), line))) return null;
    this.#eventCounts.set(uid, index + 1);
    return toHostEvent(uid, event, index);
  }

  readEvents(uid: string): HostInstanceEvent[] {
    return this.#eventLines(uid).flatMap((line, index) => {
      const event = parseEvent(line);
      return event ? [toHostEvent(uid, event, index)] : [];
    });
  }

  #eventLines(uid: string): string[] {
    const path = this.#eventsPath(uid);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  }

  #eventsPath(uid: string): string {
    return join(this.of(uid), 'events.ndjson');
  }

  /** A full disk must not take the host and with it every instance: what could not be kept is lost, and that is said. */
  #keep(uid: string, what: string, write: () => void): boolean {
    try {
      mkdirSync(this.of(uid), { recursive: true });
      write();
      return true;
    } catch (error) {
      this.#warn(`${what} of the instance in ${this.of(uid)} could not be kept: ${String(error)}`);
      return false;
    }
  }
}

type KeptEvent = Omit<HostInstanceEvent, 'raw' | 'id'>;

function parseEvent(line: string): KeptEvent | null {
  try {
    return JSON.parse(line) as KeptEvent;
  } catch {
    // Half a line: the disk was full, as was said then.
    return null;
  }
}

function toHostEvent(uid: string, event: KeptEvent, index: number): HostInstanceEvent {
  return { ...event, id: `${uid}-${index}`, raw: event };
}
