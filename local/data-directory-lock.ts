import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProcStat } from '../hosts/local/proc-files.js';

/** A process for ever: pids are used again, also after a restart of the machine. */
interface Holder {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
}

/**
 * Takes the data directory for this process until it ends, however it ends: a lock whose process is gone counts for
 * nothing.
 * @returns a function that gives it back
 * @throws Error when another hub uses the directory
 */
export function lockDataDirectory(directory: string): () => void {
  const lock = join(directory, 'lock');
  const mine = `${lock}.${randomUUID()}`;
  writeFileSync(mine, JSON.stringify(thisProcess()));
  try {
    while (!tryLink(mine, lock)) {
      const holder = readHolder(lock);
      if (holder && isRunning(holder)) {
        throw new Error(
          `another hub (process ${holder.pid}) uses ${directory}: stop it, or give this one another HUB_DATA_DIR`,
        );
      }
      removeDead(lock);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return () => {
    if (readHolder(lock)?.pid === process.pid) rmSync(lock, { force: true });
  };
}

/** A link appears whole or not at all, and never replaces one. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the dead lock away first and looks again: between two looks another hub may have taken the directory. */
function removeDead(lock: string): void {
  const away = `${lock}.${randomUUID()}`;
  try {
    renameSync(lock, away);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const holder = readHolder(away);
  if (holder && isRunning(holder)) tryLink(away, lock);
  rmSync(away, { force: true });
}

function readHolder(lock: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Holder;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isRunning(holder: Holder): boolean {
  return holder.bootId === bootId() && readProcStat(holder.pid)?.startTicks === holder.startTicks;
}

function thisProcess(): Holder {
  const stat = readProcStat(process.pid);
  if (stat === null) throw new Error('this process is not in /proc: a hub on one machine needs Linux');
  return { pid: process.pid, startTicks: stat.startTicks, bootId: bootId() };
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
