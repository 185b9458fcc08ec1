import { getWorkflow } from '../../client/api-client.js';
import { ApiError } from '../../client/api-error.js';
import type { WorkflowProgress } from '../../client/api-schemas.js';
import type { HubConnection } from '../../client/connection.js';

/** How often a workflow is asked at most, in ms. */
const everyMs = 5000;

/**
 * Asks what a request waits for, while it waits: position and reason change with other people's requests, which send no
 * events here.
 */
export class WorkflowPoll {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private askedAtMs = 0;

  constructor(private readonly answered: (workflow: WorkflowProgress | null) => void) {}

  /** Goes on, or begins, asking as long as `isWaiting` says so and the signal is not given. */
  keepAsking(hub: HubConnection, id: number, isWaiting: () => boolean, signal: AbortSignal): void {
    if (this.timer !== undefined || !isWaiting()) return;
    const pause = Math.max(0, this.askedAtMs + everyMs - Date.now());
    this.timer = setTimeout(() => {
      // It may have begun to run during the pause.
      const asked = isWaiting() ? this.ask(hub, id, signal) : Promise.resolve();
      void asked.then(() => {
        if (signal.aborted) return;
        this.timer = undefined;
        this.keepAsking(hub, id, isWaiting, signal);
      });
    }, pause);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async ask(hub: HubConnection, id: number, signal: AbortSignal): Promise<void> {
    this.askedAtMs = Date.now();
    try {
      this.answered(await getWorkflow(hub, id, signal));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      // The record and its events still tell the story; the next answer fills the sentence in.
      this.answered(null);
    }
  }
}
