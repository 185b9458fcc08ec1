import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '../../db/notifications.js';
import { REQUEST_CHANNEL } from '../../db/queries/request-progress.js';
import { NOTIFICATIONS } from '../records/tokens.js';

/** Somebody waiting for changes of one request. */
export interface RequestWatch {
  /** Until a change, the end of the signal, or `ms` milliseconds. @returns false when only the time was over */
  wait(ms: number): Promise<boolean>;
  close(): void;
}

/** Wakes the streams of a request when it changes: all streams of this process share one listening connection. */
@Injectable()
export class RequestWakesService {
  readonly #sleepers = new Map<number, Set<() => void>>();

  constructor(@Inject(NOTIFICATIONS) notifications: Notifications) {
    notifications.on(REQUEST_CHANNEL, (payload) => this.#wake(payload));
  }

  /**
   * A watch over one request. A change between two waits is not lost: the next wait ends at once.
   */
  watch(requestId: number, signal: AbortSignal): RequestWatch {
    let changed = false;
    let resume: (() => void) | null = null;
    const wake = () => {
      changed = true;
      resume?.();
    };
    const sleepers = this.#sleepers.get(requestId) ?? new Set();
    this.#sleepers.set(requestId, sleepers.add(wake));
    signal.addEventListener('abort', wake, { once: true });
    return {
      async wait(ms) {
        if (!changed && !signal.aborted)
          await new Promise<void>((resolve) => (resume = withTimer(resolve, ms)));
        const hasChanged = changed;
        changed = false;
        resume = null;
        return hasChanged;
      },
      close: () => {
        signal.removeEventListener('abort', wake);
        sleepers.delete(wake);
        if (sleepers.size === 0 && this.#sleepers.get(requestId) === sleepers)
          this.#sleepers.delete(requestId);
      },
    };
  }

  #wake(payload: string | null): void {
    const ids = payload === null ? [...this.#sleepers.keys()] : [Number(payload.split(':', 1)[0])];
    for (const id of ids) for (const wake of this.#sleepers.get(id) ?? []) wake();
  }
}

/** `resolve` now or after `ms`, whichever is first. */
function withTimer(resolve: () => void, ms: number): () => void {
  const timer = setTimeout(resolve, ms);
  return () => {
    clearTimeout(timer);
    resolve();
  };
}
