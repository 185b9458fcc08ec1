/** Runs work with a bound on how much of it runs at once, and on how much waits. */
export class AtMost {
  readonly #running: number;
  readonly #waiting: number;
  readonly #queue: (() => void)[] = [];
  #active = 0;

  /** @param running pieces of work at once; @param waiting pieces that may wait for a place */
  constructor(running: number, waiting: number) {
    this.#running = running;
    this.#waiting = waiting;
  }

  /** @returns what the work gives, or null when too many wait already */
  async run<Result>(work: () => Promise<Result>): Promise<Result | null> {
    if (this.#active >= this.#running) {
      if (this.#queue.length >= this.#waiting) return null;
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#active++;
    try {
      return await work();
    } finally {
      // A place goes straight to who waits, so nobody can slip in between.
      const next = this.#queue.shift();
      if (next) next();
      else this.#active--;
    }
  }
}
