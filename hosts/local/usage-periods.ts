import { MS_PER_SECOND } from '../../domain/units.js';
import type { UsagePeriod } from '../model-host.js';

const MILLICORES_PER_CORE = 1000;
/** Whoever reads four times a minute misses none of these, even when one read fails. */
const KEPT_PERIODS = 60;

/** The last minute of one instance, in periods of about a second that follow each other without a gap. */
export class UsagePeriods {
  readonly #closed: UsagePeriod[] = [];
  #fromMs: number;
  #memoryBytes = 0;
  #cpuSecondsBefore = 0;

  /** @param nowMs time since the epoch, in milliseconds, as everywhere here */
  constructor(nowMs: number) {
    this.#fromMs = nowMs;
  }

  /** Closed periods, oldest first. */
  get closed(): readonly UsagePeriod[] {
    return this.#closed;
  }

  /** Some look into the open period saw this much. */
  noteMemory(bytes: number): void {
    this.#memoryBytes = Math.max(this.#memoryBytes, bytes);
  }

  /**
   * Ends the open period and begins the next. A period in which nothing was seen is dropped: nothing is known of it.
   * @param cpuSeconds CPU time used since the instance began; never falls
   */
  close(nowMs: number, cpuSeconds: number): void {
    const seconds = (nowMs - this.#fromMs) / MS_PER_SECOND;
    if (seconds <= 0) return;
    if (this.#memoryBytes > 0) {
      const used = cpuSeconds - this.#cpuSecondsBefore;
      this.#closed.push({
        from: new Date(this.#fromMs).toISOString(),
        to: new Date(nowMs).toISOString(),
        memoryBytes: this.#memoryBytes,
        cpuMillicores: Math.round((used / seconds) * MILLICORES_PER_CORE),
      });
      if (this.#closed.length > KEPT_PERIODS) this.#closed.shift();
    }
    this.#fromMs = nowMs;
    this.#memoryBytes = 0;
    this.#cpuSecondsBefore = cpuSeconds;
  }
}
