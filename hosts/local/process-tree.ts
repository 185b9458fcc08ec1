import { closeSync, openSync, readSync } from 'node:fs';
import {
  isGone,
  listPids,
  parseProcStat,
  parseResidentBytes,
  readProcFile,
  readProcStat,
  sendSignal,
  type ProcStat,
} from './proc-files.js';

/** Environment variable that every process of an instance inherits: finds those that left session and parents. */
export const INSTANCE_UID_VARIABLE = 'HUB_INSTANCE_UID';

const buffer = Buffer.alloc(1024);

/** One process of an instance. Its open files belong to this very process, so a reused pid is never misread. */
class Member {
  readonly #statm: number;
  readonly #stat: number;

  constructor(
    readonly pid: number,
    readonly processGroup: number,
  ) {
    this.#statm = openSync(`/proc/${pid}/statm`, 'r');
    this.#stat = openSync(`/proc/${pid}/stat`, 'r');
  }

  residentBytes(): number | null {
    const text = readAgain(this.#statm);
    return text === null ? null : parseResidentBytes(text);
  }

  /** Null once it has ended. */
  stat(): ProcStat | null {
    const text = readAgain(this.#stat);
    const stat = text === null ? null : parseProcStat(text);
    return stat?.state === 'Z' ? null : stat;
  }

  close(): void {
    closeSync(this.#statm);
    closeSync(this.#stat);
  }
}

function readAgain(file: number): string | null {
  try {
    return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0));
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** All processes of one instance: its server, what that started, and what those started. */
export class ProcessTree {
  readonly members = new Map<number, Member>();
  /** Every process group that was ever part of it. */
  readonly groups = new Set<number>();

  constructor(
    readonly uid: string,
    readonly leaderPid: number,
  ) {}

  /** Resident bytes of all its processes together (pages they share are counted for each); forgets those that ended. */
  residentBytes(): number {
    let sum = 0;
    for (const member of this.members.values()) {
      const resident = member.residentBytes();
      if (resident === null) this.#leave(member);
      else sum += resident;
    }
    return sum;
  }

  /** CPU time of all its living processes and the children they waited for, in ticks. */
  cpuTicks(): number {
    return [...this.members.values()].reduce((sum, member) => sum + (member.stat()?.cpuTicks ?? 0), 0);
  }

  /** Signals the groups of the instance, so that what a process forks meanwhile is met too. */
  signal(signal: NodeJS.Signals): void {
    sendSignal(-this.leaderPid, signal);
    for (const member of this.members.values()) {
      if (member.processGroup !== this.leaderPid && member.stat()) sendSignal(member.pid, signal);
    }
  }

  join(pid: number, processGroup: number): void {
    try {
      this.members.set(pid, new Member(pid, processGroup));
      this.groups.add(processGroup);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  close(): void {
    for (const member of this.members.values()) this.#leave(member);
  }

  #leave(member: Member): void {
    member.close();
    this.members.delete(member.pid);
  }
}

/** Finds which processes of this machine belong to which instance. Looks closely at newcomers only. */
export class ProcessTable {
  readonly #trees = new Map<string, ProcessTree>();
  #seen = new Set<number>();

  /** @param leaderPid the instance's server, leader of a session of its own */
  follow(uid: string, leaderPid: number): ProcessTree {
    const tree = new ProcessTree(uid, leaderPid);
    tree.join(leaderPid, leaderPid);
    this.#trees.set(uid, tree);
    return tree;
  }

  forget(tree: ProcessTree): void {
    tree.close();
    this.#trees.delete(tree.uid);
  }

  /** Puts processes that appeared since the last look into their trees; returns them. */
  discover(): { readonly tree: ProcessTree; readonly processGroup: number }[] {
    if (this.#trees.size === 0) return [];
    const pids = listPids();
    const newcomers = pids.filter((pid) => !this.#seen.has(pid));
    this.#seen = new Set(pids);
    return newcomers.flatMap((pid) => {
      const stat = readProcStat(pid);
      const tree = stat && this.#treeOf(pid, stat);
      if (!stat || !tree || tree.members.has(pid)) return [];
      tree.join(pid, stat.processGroup);
      return [{ tree, processGroup: stat.processGroup }];
    });
  }

  #treeOf(pid: number, stat: ProcStat): ProcessTree | undefined {
    for (const tree of this.#trees.values()) {
      if (tree.leaderPid === stat.session || tree.members.has(stat.parentPid)) return tree;
    }
    const environment = readProcFile(pid, 'environ');
    const uid = environment === null ? null : environmentValue(environment, INSTANCE_UID_VARIABLE);
    return uid === null ? undefined : this.#trees.get(uid);
  }
}

/** One value of the text of `/proc/<pid>/environ`; null when it is not set there. */
export function environmentValue(environment: string, name: string): string | null {
  const entry = environment.split('\0').find((line) => line.startsWith(`${name}=`));
  return entry === undefined ? null : entry.slice(name.length + 1);
}
