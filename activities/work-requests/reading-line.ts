/** Whoever waits to read, in order; one reads at a time. */
export class ReadingLine {
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;

  /** Begins a turn at once, or gives what resolves when it begins and rejects with the signal's reason before that. */
  enter(signal: AbortSignal): Promise<void> | void {
    if (this.#isBusy) return this.#waitInLine(signal);
    this.#isBusy = true;
  }

  /** The next one's turn begins. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#isBusy = false;
  }

  #waitInLine(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const begin = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(begin);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}
