import { readFileSync, readdirSync } from 'node:fs';

/** Linux counts process times in ticks of 10 ms for every program (`USER_HZ`), whatever the kernel is built with. */
export const TICKS_PER_SECOND = 100;
/** Page size of the processors Node supports on Linux with 4 KiB pages; `/proc/<pid>/statm` counts in pages. */
const BYTES_PER_PAGE = 4096;
const BYTES_PER_KIBIBYTE = 1024;

/** The parts of `/proc/<pid>/stat` that tell whose process it is and what it used (proc_pid_stat(5)). */
export interface ProcStat {
  readonly state: string;
  readonly parentPid: number;
  readonly processGroup: number;
  readonly session: number;
  /** Own time and that of children it has waited for, in ticks. */
  readonly cpuTicks: number;
  /** Start after boot, in ticks: with the pid it names one process for ever. */
  readonly startTicks: number;
}

/** Reads one line of `/proc/<pid>/stat`; the command in parentheses may hold blanks and parentheses itself. */
export function parseProcStat(text: string): ProcStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const numberAt = (field: number) => Number(fields[field - 3]);
  return {
    state: fields[0] ?? '',
    parentPid: numberAt(4),
    processGroup: numberAt(5),
    session: numberAt(6),
    cpuTicks: numberAt(14) + numberAt(15) + numberAt(16) + numberAt(17),
    startTicks: numberAt(22),
  };
}

/** Resident bytes from the text of `/proc/<pid>/statm`. */
export function parseResidentBytes(statm: string): number {
  return Number(statm.split(' ')[1]) * BYTES_PER_PAGE;
}

/** A `kB` figure (`VmHWM`, `Pss`) from the text of `/proc/<pid>/status` or `smaps_rollup`, in bytes; null when absent. */
export function parseKibibytes(text: string, name: string): number | null {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text);
  return found ? Number(found[1]) * BYTES_PER_KIBIBYTE : null;
}

/** Text of a file of a process; null when the process is gone or not ours to read. */
export function readProcFile(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** The stat of a process that still runs; null when it is gone or only waits to be collected. */
export function readProcStat(pid: number): ProcStat | null {
  const text = readProcFile(pid, 'stat');
  const stat = text === null ? null : parseProcStat(text);
  return stat === null || stat.state === 'Z' || stat.state === 'X' ? null : stat;
}

export function listPids(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);
}

/** True for what the kernel says of a process that ended or belongs to someone else. */
export function isGone(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM';
}

/** Sends a signal to a process, or with a negative number to a group; one that is gone already is no fault. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
