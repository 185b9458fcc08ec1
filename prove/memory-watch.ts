import { parseResidentBytes, readProcFile } from '../hosts/local/proc-files.js';

/** How often resident memory is read, ms. */
const SAMPLE_MS = 250;

/** Reads the resident memory of processes until it is closed. */
export class MemoryWatch {
  readonly #peaks = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #samples = 0;

  /** @param processes pids by name; asked at every sample, since a restarted process has another pid */
  constructor(private readonly processes: () => Readonly<Record<string, number>>) {
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Ends the watch. @returns the highest resident memory of each process, bytes, and how often it was read */
  close(): { peaks: ReadonlyMap<string, number>; samples: number } {
    clearInterval(this.#timer);
    this.#sample();
    return { peaks: this.#peaks, samples: this.#samples };
  }

  #sample(): void {
    this.#samples += 1;
    for (const [name, pid] of Object.entries(this.processes())) {
      const statm = readProcFile(pid, 'statm');
      if (statm !== null)
        this.#peaks.set(name, Math.max(this.#peaks.get(name) ?? 0, parseResidentBytes(statm)));
    }
  }
}
