import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { ApiError } from '../client/api-error.js';

/**
 * One thing loaded over the network for one element: the last good value stays while a new one is fetched or when
 * fetching fails; a newer load gives up the older one.
 */
export class Loaded<Value> implements ReactiveController {
  value: Value | null = null;
  error: ApiError | null = null;
  loading = false;
  private underway: AbortController | null = null;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly fetchValue: (signal: AbortSignal) => Promise<Value>,
  ) {
    host.addController(this);
  }

  hostDisconnected(): void {
    this.stop();
  }

  /** Loads again; resolves when the value, or the error, is there. Faults that are no answer of the hub are rethrown. */
  async load(): Promise<void> {
    this.stop();
    const mine = new AbortController();
    this.underway = mine;
    this.loading = true;
    this.host.requestUpdate();
    try {
      this.settle(mine, { value: await this.fetchValue(mine.signal), error: null });
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.settle(mine, { value: this.value, error });
    }
  }

  /** Forgets the value, for another person or another subject. */
  clear(): void {
    this.stop();
    this.value = null;
    this.error = null;
    this.host.requestUpdate();
  }

  private settle(mine: AbortController, outcome: { value: Value | null; error: ApiError | null }): void {
    if (mine !== this.underway) return;
    Object.assign(this, outcome);
    this.loading = false;
    this.underway = null;
    this.host.requestUpdate();
  }

  private stop(): void {
    this.underway?.abort();
    this.underway = null;
    this.loading = false;
  }
}
