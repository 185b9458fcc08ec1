import { readlinkSync } from 'node:fs';
import { isGone, listPids, readProcFile, readProcStat } from '../hosts/local/proc-files.js';

/** Processes that were started for a folder: its path is among the words or variables of each, or they work in it. */
export function processesOf(folder: string): number[] {
  return listPids().filter(
    (pid) =>
      pid !== process.pid &&
      readProcStat(pid) !== null &&
      (['cmdline', 'environ'].some((file) => readProcFile(pid, file)?.includes(folder)) ||
        workingFolder(pid).startsWith(folder)),
  );
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
