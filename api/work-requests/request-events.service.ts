import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Database } from '../../db/database.js';
import { isFinished } from '../../domain/work-request/work-request.js';
import type { RequestEvent } from '../../domain/work-request/work-request.wire.js';
import type { SignedIn } from '../auth/signed-in.js';
import { DATABASE } from '../records/tokens.js';
import { EventPace } from './event-pace.js';
import { RequestWakesService, type RequestWatch } from './request-wakes.service.js';
import { SSE_HEARTBEAT, sseMessage } from './sse-text.js';
import { toWorkRequest } from './to-work-request.js';
import { withoutStaleProgress } from './without-stale-progress.js';
import type { WorkRequestRow } from './work-request-row.js';

/**
 * The rows are read again this often even when nobody says they changed: notifications may be lost. Each time a comment
 * goes out, so that no proxy takes the stream for dead.
 */
const REREAD_MS = 10_000;
const EVENTS_PER_READ = 200;
const endings: readonly RequestEvent['type'][] = ['completed', 'failed', 'cancelled'];

interface EventRow extends RequestEvent {
  session_open: boolean;
}

/** Streams the progress of requests: what is now first, then every change, until the end. */
@Injectable()
export class RequestEventsService implements BeforeApplicationShutdown {
  readonly #database: Database;
  readonly #wakes: RequestWakesService;
  readonly #open = new Set<AbortController>();

  constructor(@Inject(DATABASE) database: Database, wakes: RequestWakesService) {
    this.#database = database;
    this.#wakes = wakes;
  }

  /** Streams would keep the server from closing. */
  beforeApplicationShutdown(): void {
    for (const controller of this.#open) controller.abort();
  }

  /**
   * The stream's text, until the controller aborts; it also aborts when the process ends.
   * @param read gives the request as it is; asked when the watch has begun, so that no change falls between
   * @param after number of the last event the client has seen, or null for a new client
   */
  async *stream(
    read: () => Promise<WorkRequestRow>,
    caller: SignedIn,
    requestId: number,
    after: number | null,
    controller: AbortController,
  ): AsyncGenerator<string> {
    const { signal } = controller;
    const watch = this.#wakes.watch(requestId, signal);
    // Not before: the text of a client that has gone already is never begun, and so never ended.
    this.#open.add(controller);
    try {
      const row = await read();
      yield sseMessage('snapshot', row.version, toWorkRequest(row));
      yield* this.#events(
        row,
        caller,
        after === null ? row.version : Math.min(after, row.version),
        watch,
        signal,
      );
    } finally {
      this.#open.delete(controller);
      watch.close();
    }
  }

  async *#events(
    row: WorkRequestRow,
    caller: SignedIn,
    after: number,
    watch: RequestWatch,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const pace = new EventPace();
    let seen = after;
    let isOver = isFinished(row.state) && after >= row.version;
    while (!isOver && !signal.aborted) {
      const batch = await this.#read(row.id, caller, seen);
      if (batch === null) return;
      yield* paced(withoutStaleProgress(batch), pace, signal);
      seen = batch.at(-1)?.event_no ?? seen;
      isOver = isEnd(batch, row);
      const mayHoldMore = batch.length === EVENTS_PER_READ;
      if (!isOver && !mayHoldMore && !(await watch.wait(REREAD_MS))) yield SSE_HEARTBEAT;
    }
  }

  /** Events after one the client knows; null when the caller's session, or the right to see the request, is gone. */
  async #read(requestId: number, caller: SignedIn, after: number): Promise<RequestEvent[] | null> {
    const rows = await this.#database.rows<EventRow>(
      `select r.id as request_id, e.event_no, e.type, e.at, e.details,
              exists (select from user_session where session_id = $3 and expires_at > now()) as session_open
         from work_request r
         left join lateral (
           select * from work_request_event e
            where e.expires_on = r.expires_on and e.request_id = r.id and e.event_no > $2
            order by e.event_no limit ${EVENTS_PER_READ}) e on true
        where r.id = $1 and (r.user_id = $4
          or exists (select from user_permission where user_id = $4 and permission = 'ADMIN'))
        order by e.event_no`,
      [requestId, after, caller.sessionId, caller.userId],
    );
    if (rows.length === 0 || !rows[0]!.session_open) return null;
    return rows
      .filter((row) => row.event_no !== null)
      .map(({ request_id, event_no, type, at, details }) => ({ request_id, event_no, type, at, details }));
  }
}

/** The last event ends the stream; so does having told a finished request's events. */
function isEnd(batch: readonly RequestEvent[], { state }: WorkRequestRow): boolean {
  const last = batch.at(-1);
  return last ? endings.includes(last.type) : isFinished(state);
}

/** The messages of events, not faster than streams may go. */
async function* paced(
  events: readonly RequestEvent[],
  pace: EventPace,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (const event of events) {
    const waitMs = pace.waitMs(performance.now());
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    yield sseMessage(event.type, event.event_no, event);
    pace.sent(performance.now());
  }
}
