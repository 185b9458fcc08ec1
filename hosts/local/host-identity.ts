import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST_ID_VARIABLE } from './instance-process.js';
import type { InstanceRecord } from './instance-record.js';
import { listPids, readProcFile, readProcStat, sendSignal } from './proc-files.js';
import { environmentValue } from './process-tree.js';

const CLEAN_UP_ATTEMPTS = 100;
const CLEAN_UP_PAUSE_MS = 20;

interface HostIdentity {
  readonly hostId: string;
  readonly pid: number;
  readonly startTicks: number;
}

/**
 * Makes this process the host of a data folder.
 * @returns the folder's host id, the same for every host process that ever served it
 * @throws Error when another living host serves the folder, or the system has no `/proc`
 */
export function claimHostFolder(folder: string): string {
  const own = existsSync('/proc/self/stat') ? readProcStat(process.pid) : null;
  if (own === null) {
    throw new Error('the local host needs Linux: it reads memory and CPU of its instances from /proc');
  }
  const path = join(folder, 'host.json');
  const last = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as HostIdentity) : null;
  if (last && last.pid !== process.pid && readProcStat(last.pid)?.startTicks === last.startTicks) {
    throw new Error(
      `another local host (process ${last.pid}) works in ${folder}: stop it, or choose another HUB_DATA_DIR`,
    );
  }
  const identity: HostIdentity = {
    hostId: last?.hostId ?? randomUUID(),
    pid: process.pid,
    startTicks: own.startTicks,
  };
  writeFileSync(`${path}.new`, JSON.stringify(identity));
  renameSync(`${path}.new`, path);
  return identity.hostId;
}

/**
 * Ends what an earlier host of this folder left running. A process is only touched when it is surely ours: it
 * carries our host id, or it is in the session of a server that has the recorded pid and start.
 * @returns how many processes were ended
 */
export async function endLeftovers(hostId: string, records: readonly InstanceRecord[]): Promise<number> {
  const sessions = new Set(
    records
      .map((record) => record.process)
      .filter((known) => known !== null && readProcStat(known.pid)?.startTicks === known.startTicks)
      .map((known) => known?.pid),
  );
  const ended = new Set<number>();
  for (let attempt = 0; attempt < CLEAN_UP_ATTEMPTS; attempt += 1) {
    const leftovers = listPids().filter((pid) => isLeftover(pid, hostId, sessions));
    if (leftovers.length === 0) return ended.size;
    for (const pid of leftovers) {
      ended.add(pid);
      sendSignal(pid, 'SIGKILL');
    }
    await new Promise((resolve) => setTimeout(resolve, CLEAN_UP_PAUSE_MS));
  }
  throw new Error('processes of an earlier local host could not be ended: end them by hand and start again');
}

function isLeftover(pid: number, hostId: string, sessions: ReadonlySet<number | undefined>): boolean {
  const stat = readProcStat(pid);
  if (stat === null || pid === process.pid) return false;
  if (sessions.has(stat.session)) return true;
  const environment = readProcFile(pid, 'environ');
  return environment !== null && environmentValue(environment, HOST_ID_VARIABLE) === hostId;
}
