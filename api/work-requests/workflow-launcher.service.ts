import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Client } from '@temporalio/client';
import { startWorkRequest } from '../../temporal/workflow-starts.js';
import { workRequestWorkflowId } from '../../workflows/process-work-request.messages.js';
import { TEMPORAL } from '../records/tokens.js';
import type { WorkRequestRow } from './work-request-row.js';

/** What takes longer is left to the reconciler, which starts and ends what rows ask for. */
const DEADLINE_MS = 5_000;
/** With Temporal away calls pile up; more than this are not even tried. */
const CALLS_AT_ONCE = 200;

/** Tells Temporal what the database has decided already. Nobody waits for it, and nothing is lost when it fails. */
@Injectable()
export class WorkflowLauncherService implements OnApplicationShutdown {
  readonly #log = new Logger('workflows');
  readonly #temporal: Client;
  readonly #calls = new Set<Promise<void>>();

  constructor(@Inject(TEMPORAL) temporal: Client) {
    this.#temporal = temporal;
  }

  /** Starts the workflow of a request that was committed. */
  start(row: WorkRequestRow): void {
    const { id, run_key: runKey, model_id: modelId, user_id: userId, row_count: rowCount } = row;
    this.#attempt(`starting the workflow of request ${id}`, () =>
      startWorkRequest(this.#temporal, { requestId: id, runKey, modelId, userId, rowCount }),
    );
  }

  /** Asks the workflow of a cancelled request to stop its work; the row is cancelled already. */
  cancel(row: Pick<WorkRequestRow, 'id' | 'run_key'>): void {
    this.#attempt(`cancelling the workflow of request ${row.id}`, async () => {
      await this.#temporal.workflow.getHandle(workRequestWorkflowId(row.id, row.run_key)).cancel();
    });
  }

  /** Calls under way are finished first; the connection is closed after this. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#calls);
  }

  #attempt(what: string, call: () => Promise<void>): void {
    if (this.#calls.size >= CALLS_AT_ONCE) {
      this.#log.warn(`${what}: left to the reconciler, ${CALLS_AT_ONCE} calls wait for Temporal already`);
      return;
    }
    const running = this.#temporal
      .withDeadline(Date.now() + DEADLINE_MS, call)
      .catch((error: unknown) => this.#log.warn(`${what}: left to the reconciler: ${String(error)}`))
      .finally(() => this.#calls.delete(running));
    this.#calls.add(running);
  }
}
