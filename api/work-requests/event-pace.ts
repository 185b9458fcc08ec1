/** Most events of one record that one stream carries in any one second. */
export const EVENTS_PER_SECOND = 4;
const WINDOW_MS = 1_000;

/** Keeps the events of a stream to four in any one second. */
export class EventPace {
  readonly #sentAt: number[] = [];

  /** Milliseconds to wait until one more may be sent; 0 when it may go now. */
  waitMs(nowMs: number): number {
    const oldest = this.#sentAt.at(-EVENTS_PER_SECOND);
    return oldest === undefined ? 0 : Math.max(0, oldest + WINDOW_MS - nowMs);
  }

  /** Notes that one was sent. */
  sent(nowMs: number): void {
    this.#sentAt.push(nowMs);
    if (this.#sentAt.length > EVENTS_PER_SECOND) this.#sentAt.shift();
  }
}
