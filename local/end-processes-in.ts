import { readlinkSync, realpathSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGone, listPids, readProcFile, sendSignal } from '../hosts/local/proc-files.js';

const attempts = 250;
const pauseMs = 20;

/**
 * Ends every process of this program that works in the folder, and waits until all are gone. After its server was
 * killed, Postgres refuses to start as long as one of the server's children still computes.
 * @param program the process's own name for itself, as the kernel keeps it
 * @throws Error when one of them can't be ended
 */
export async function endProcessesIn(folder: string, program: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const left = listPids().filter((pid) => worksIn(pid, folder, program));
    if (left.length === 0) return;
    for (const pid of left) sendSignal(pid, 'SIGKILL');
    await sleep(pauseMs);
  }
  throw new Error(`processes of ${program} still work in ${folder} and could not be ended: end them by hand`);
}

function worksIn(pid: number, folder: string, program: string): boolean {
  if (readProcFile(pid, 'comm')?.trim() !== program) return false;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}
