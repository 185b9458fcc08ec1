import { performance } from 'node:perf_hooks';
import { MS_PER_SECOND } from '../../domain/units.js';
import type { UsagePeriod } from '../model-host.js';
import { parseKibibytes, readProcFile, TICKS_PER_SECOND } from './proc-files.js';
import type { ProcessTree } from './process-tree.js';
import { UsagePeriods } from './usage-periods.js';

const MILLICORES_PER_CORE = 1000;
/**
 * A CPU rate is taken over this time, or over the instance's life while that is shorter. The hub reads this often, so
 * no CPU time falls between two reads.
 */
const CPU_WINDOW_MS = 15_000;
/** Exact memory of several processes takes the kernel 9 ms per GiB: it may cost a tenth of the time at most. */
const PAUSE_PER_EXACT_LOOK = 10;

/** What an instance uses, as of its last close look. */
export interface AccountedUsage {
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
  readonly cpuMillicores: number;
  readonly cpuSecondsTotal: number;
  readonly recentPeriods: readonly UsagePeriod[];
  readonly sampledAt: string;
}

/** Memory and CPU of one instance, from cheap looks at `/proc` that one timer makes for all instances. */
export class ProcessAccounting {
  readonly #tree: ProcessTree;
  readonly #limitBytes: number | null;
  readonly #cpuTotals: { atMs: number; seconds: number }[];
  readonly #periods: UsagePeriods;
  #sampledAtMs: number;
  #memoryBytes = 0;
  #peakBytes = 0;
  #nextExactLookMs = 0;
  #sharedBytes: number | null = null;

  constructor(tree: ProcessTree, limitBytes: number | null, nowMs: number) {
    this.#tree = tree;
    this.#limitBytes = limitBytes;
    this.#cpuTotals = [{ atMs: nowMs, seconds: 0 }];
    this.#sampledAtMs = Date.now();
    this.#periods = new UsagePeriods(this.#sampledAtMs);
  }

  /**
   * One look at the memory; true when it is at the limit. Processes that share pages (a server and its forks)
   * are first counted fully, and exactly only where that alone would be over the limit.
   */
  isAtMemoryLimit(): boolean {
    const resident = this.#tree.residentBytes();
    const limit = this.#limitBytes ?? Number.POSITIVE_INFINITY;
    if (this.#tree.members.size <= 1) {
      this.#sharedBytes = null;
      this.#setMemory(resident);
      return resident >= limit;
    }
    if (resident >= limit || this.#sharedBytes === null) this.#lookExactly();
    if (this.#sharedBytes !== null) this.#setMemory(Math.min(resident, this.#sharedBytes));
    return this.#memoryBytes >= limit;
  }

  /** The slower look, about once a second: CPU, the kernel's high-water mark, exact memory of several processes. */
  lookClosely(nowMs: number): void {
    const last = this.#cpuTotals.at(-1)?.seconds ?? 0;
    // Time of a process that was never waited for vanishes with it; the total must not go back.
    const seconds = Math.max(last, this.#tree.cpuTicks() / TICKS_PER_SECOND);
    this.#cpuTotals.push({ atMs: nowMs, seconds });
    while ((this.#cpuTotals[1]?.atMs ?? nowMs) <= nowMs - CPU_WINDOW_MS) this.#cpuTotals.shift();
    if (this.#tree.members.size > 1) this.#lookExactly();
    this.readHighWaterMark();
    this.#sampledAtMs = Date.now();
    this.#periods.close(this.#sampledAtMs, seconds);
  }

  /** Takes over the kernel's own peak, which also knows what lay between two looks. */
  readHighWaterMark(): void {
    for (const pid of this.#tree.members.keys()) {
      const status = readProcFile(pid, 'status');
      const highWater = status === null ? null : parseKibibytes(status, 'VmHWM');
      this.#notePeak(highWater ?? 0);
    }
  }

  /** Its processes are gone: what was seen since the last close look counts, what was not stays unknown. */
  end(): void {
    this.#sampledAtMs = Date.now();
    this.#periods.close(this.#sampledAtMs, this.#cpuTotals.at(-1)?.seconds ?? 0);
  }

  usage(): AccountedUsage {
    const [first, last] = [this.#cpuTotals[0], this.#cpuTotals.at(-1)];
    const seconds = first && last ? (last.atMs - first.atMs) / MS_PER_SECOND : 0;
    const used = first && last ? last.seconds - first.seconds : 0;
    return {
      memoryBytes: this.#memoryBytes,
      peakMemoryBytes: this.#peakBytes,
      cpuMillicores: seconds > 0 ? Math.round((used / seconds) * MILLICORES_PER_CORE) : 0,
      cpuSecondsTotal: last?.seconds ?? 0,
      recentPeriods: this.#periods.closed,
      sampledAt: new Date(this.#sampledAtMs).toISOString(),
    };
  }

  #setMemory(bytes: number): void {
    // A process that just ended reads as nothing; that says nothing about what it used.
    if (bytes === 0) return;
    this.#memoryBytes = bytes;
    this.#periods.noteMemory(bytes);
    this.#notePeak(bytes);
  }

  /** A mark that is higher than before was reached since it was last read: in the open period. */
  #notePeak(bytes: number): void {
    if (bytes <= this.#peakBytes) return;
    this.#peakBytes = bytes;
    this.#periods.noteMemory(bytes);
  }

  #lookExactly(): void {
    const beganMs = performance.now();
    if (beganMs < this.#nextExactLookMs) return;
    let sum = 0;
    for (const pid of this.#tree.members.keys()) {
      const rollup = readProcFile(pid, 'smaps_rollup');
      sum += (rollup === null ? null : parseKibibytes(rollup, 'Pss')) ?? 0;
    }
    this.#sharedBytes = sum;
    const endedMs = performance.now();
    this.#nextExactLookMs = endedMs + (endedMs - beganMs) * PAUSE_PER_EXACT_LOOK;
  }
}
