import { readFileSync } from 'node:fs';
import { readProcStat, TICKS_PER_SECOND } from '../hosts/local/proc-files.js';
import { descendantsOf } from '../prove/left-over.js';
import type { RunningStack } from '../test/support/stack.js';

/** CPU seconds used since a start. */
export interface CpuUse {
  /** By the name of who used them, most first. */
  readonly used: Readonly<Record<string, number>>;
  /** What the rest of the machine used meanwhile: a measurement beside other work says little. */
  readonly others: number;
  readonly seconds: number;
}

/** Reads how much CPU each part of a hub uses, and this program, which is the load. */
export class CpuMeter {
  readonly #before: ReadonlyMap<string, number>;
  readonly #busyBefore = busySeconds();
  readonly #startedAt = performance.now();

  constructor(private readonly stack: RunningStack) {
    this.#before = this.#read();
  }

  read(): CpuUse {
    const used = [...this.#read()].map(
      ([name, seconds]) => [name, seconds - (this.#before.get(name) ?? 0)] as const,
    );
    const own = used.reduce((sum, [, seconds]) => sum + seconds, 0);
    return {
      used: Object.fromEntries(used.toSorted(([, a], [, b]) => b - a)),
      others: Math.max(0, busySeconds() - this.#busyBefore - own),
      seconds: (performance.now() - this.#startedAt) / 1000,
    };
  }

  #read(): Map<string, number> {
    const { processes } = this.stack;
    const groups = new Map<string, number[]>([['this benchmark', [process.pid]]]);
    for (const [name, pid] of Object.entries(processes)) {
      const below = descendantsOf(pid);
      if (name === 'local-host') groups.set('model servers', below);
      groups.set(name, name === 'local-host' ? [pid] : [pid, ...below]);
    }
    return new Map([...groups].map(([name, pids]) => [name, cpuSecondsOf(pids)]));
  }
}

function cpuSecondsOf(pids: readonly number[]): number {
  const ticks = pids.map((pid) => readProcStat(pid)?.cpuTicks ?? 0);
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}

/** Seconds in which any processor of the machine was busy: user, nice, system, interrupts. */
function busySeconds(): number {
  const [line] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user, nice, system, , , interrupts, softInterrupts] = line!.split(/\s+/).slice(1).map(Number);
  const ticks = [user, nice, system, interrupts, softInterrupts];
  return ticks.reduce<number>((sum, one) => sum + one!, 0) / TICKS_PER_SECOND;
}

/** Who used how much of one core, and how much CPU that is for each request. */
export function describeCpu({ used, others, seconds }: CpuUse, requests: number): string {
  const share = (cpuSeconds: number) => `${Math.round((100 * cpuSeconds) / seconds)} %`;
  const each = (cpuSeconds: number) => `${((1000 * cpuSeconds) / requests).toFixed(1)} ms`;
  const own = Object.values(used).reduce((sum, one) => sum + one, 0);
  const parts = Object.entries(used).map(([name, one]) => `${name} ${share(one)} (${each(one)})`);
  return `${parts.join(', ')}; in all ${share(own)} of one core (${each(own)} each), others ${share(others)}`;
}
