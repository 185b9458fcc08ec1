import { readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGone, listPids, readProcFile, readProcStat } from '../hosts/local/proc-files.js';

/** Processes that were started for a folder: its path is among the words or variables of each, or they work in it. */
function processesOf(folder: string): number[] {
  return listPids().filter(
    (pid) =>
      pid !== process.pid &&
      readProcStat(pid) !== null &&
      (['cmdline', 'environ'].some((file) => readProcFile(pid, file)?.includes(folder)) ||
        workingFolder(pid).startsWith(folder)),
  );
}

/** Those that are still there after a second: what was killed just now takes a moment to go. */
export async function processesLeftOf(folder: string): Promise<readonly number[]> {
  const deadline = Date.now() + 1000;
  for (;;) {
    const left = processesOf(folder);
    if (left.length === 0 || Date.now() > deadline) return left;
    await sleep(50);
  }
}

/** Model servers of a local host: its children that run a model's program. */
export function modelServersOf(localHostPid: number): number[] {
  return childrenOf(localHostPid).filter((pid) => readProcFile(pid, 'cmdline')?.includes('model'));
}

/** All processes below this one. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

function childrenOf(pid: number): number[] {
  return listPids().filter((other) => readProcStat(other)?.parentPid === pid);
}

function workingFolder(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}
