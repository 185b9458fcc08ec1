import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { getWorkRequest, openWorkRequestEvents } from '../../client/api-client.js';
import { ApiError } from '../../client/api-error.js';
import type { RequestEvent, WorkflowProgress, WorkRequest } from '../../client/api-schemas.js';
import type { HubConnection } from '../../client/connection.js';
import { readEventStream, type ServerSentEvent } from '../../client/event-stream.js';
import { applyEvent, isEnd } from './apply-event.js';
import { isFinished } from './tell-timeline.js';
import { WorkflowPoll } from './workflow-poll.js';

/** Waits before connecting again, in ms: the first try comes soon, later ones leave the hub in peace. */
const backoffMs = [500, 1000, 2000, 4000, 8000, 15_000] as const;
/** Silence after which a connection counts as dead, in ms; the hub gives a sign of life every 10 s. */
const silenceMs = 25_000;

/**
 * One request as it happens: its record, its events by stream, and, only while it waits, what its workflow says. The
 * stream resumes by `Last-Event-ID`, reconnects with growing pauses, rests while the tab is hidden and ends with the
 * request. What was known stays when the connection breaks.
 */
export class LiveRequest implements ReactiveController {
  request: WorkRequest | null = null;
  events: readonly RequestEvent[] = [];
  workflow: WorkflowProgress | null = null;
  /** Why nothing can be shown at all, or why the last try failed. */
  error: ApiError | null = null;
  /** `live` while the stream is open, `broken` between tries, `ended` when there is nothing more to come. */
  connection: 'connecting' | 'live' | 'broken' | 'paused' | 'ended' = 'connecting';
  /** When the hub was last heard, in ms since 1970. */
  heardAtMs = 0;

  /** Has a try to connect again failed already? A single break mends itself before anybody notices. */
  get isLost(): boolean {
    return this.connection === 'broken' && this.tries > 1;
  }

  private subject: { hub: HubConnection; id: number } | null = null;
  private underway: AbortController | null = null;
  private tries = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly poll = new WorkflowPoll((workflow) => {
    this.workflow = workflow;
    this.host.requestUpdate();
  });

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    document.addEventListener('visibilitychange', this.onVisibility);
  }

  hostDisconnected(): void {
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.stop();
    this.subject = null;
  }

  /** Follows another request, or the same one as somebody else, who may not see what is here; null follows none. */
  follow(subject: { hub: HubConnection; id: number } | null): void {
    this.stop();
    this.subject = subject;
    this.request = null;
    this.workflow = null;
    this.events = [];
    this.error = null;
    this.restart();
  }

  /** Connects again now. */
  restart(): void {
    this.stop();
    this.tries = 0;
    if (this.subject === null) return;
    if (document.visibilityState === 'hidden') this.become('paused');
    else void this.run(this.subject.hub, this.subject.id);
  }

  /** Takes a record that the hub answered elsewhere, e.g. when cancelling; not when another is followed meanwhile. */
  take(request: WorkRequest): void {
    if (request.id !== this.subject?.id) return;
    this.request = request;
    this.heard();
    if (isFinished(request)) this.restart();
  }

  private readonly onVisibility = (): void => {
    if (this.connection === 'ended' && this.request) return;
    if (document.visibilityState === 'visible') return this.restart();
    this.stop();
    if (this.subject) this.become('paused');
  };

  private stop(): void {
    this.underway?.abort();
    this.underway = null;
    clearTimeout(this.retryTimer);
    clearTimeout(this.silenceTimer);
    this.poll.stop();
  }

  private become(connection: LiveRequest['connection']): void {
    this.connection = connection;
    this.host.requestUpdate();
  }

  private heard(): void {
    this.heardAtMs = Date.now();
    this.error = null;
    this.host.requestUpdate();
  }

  private async run(hub: HubConnection, id: number): Promise<void> {
    const mine = new AbortController();
    this.underway = mine;
    if (this.connection !== 'broken') this.become('connecting');
    this.expectWord(hub, id);
    try {
      await this.listen(hub, id, mine.signal);
      mine.abort();
      if (this.hasFinished()) return this.end();
    } catch (error) {
      if (mine.signal.aborted) return;
      // A broken stream is no error to show: the record is there and the next try is under way.
      if (error instanceof ApiError) this.error = error;
      else if (!(error instanceof TypeError)) throw error;
      if (this.error && !this.error.mayPass) return this.end();
    }
    this.tryAgain(hub, id);
  }

  private end(): void {
    this.stop();
    this.become('ended');
  }

  /** A network that went away breaks no connection, it only says nothing more. */
  private expectWord(hub: HubConnection, id: number): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => {
      this.error = new ApiError(`follow request ${id}`, 'The hub does not answer.', 0);
      this.tryAgain(hub, id);
    }, silenceMs);
  }

  private tryAgain(hub: HubConnection, id: number): void {
    this.stop();
    const pause = backoffMs[Math.min(this.tries, backoffMs.length - 1)] ?? 0;
    this.tries += 1;
    this.become('broken');
    this.retryTimer = setTimeout(() => void this.run(hub, id), pause * (0.75 + Math.random() / 2));
  }

  private async listen(hub: HubConnection, id: number, signal: AbortSignal): Promise<void> {
    const body = await openWorkRequestEvents(hub, id, this.lastEventNo, signal);
    this.become('live');
    for await (const item of readEventStream(body)) {
      signal.throwIfAborted();
      // A snapshot proves little: a hub in trouble may give one and hang up.
      if (item === 'alive' || item.type !== 'snapshot') this.tries = 0;
      if (item !== 'alive') await this.receive(item, hub, id, signal);
      this.heard();
      this.expectWord(hub, id);
      if (this.hasFinished() && this.events.some(isEnd)) return;
      this.poll.keepAsking(hub, id, () => this.isWaiting(), signal);
    }
  }

  private async receive(
    item: ServerSentEvent,
    hub: HubConnection,
    id: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (item.type === 'snapshot') {
      this.request = JSON.parse(item.data) as WorkRequest;
      return;
    }
    const event = JSON.parse(item.data) as RequestEvent;
    if (event.event_no <= this.lastEventNo) return;
    this.events = [...this.events, event];
    if (this.request) this.request = applyEvent(this.request, event);
    if (isEnd(event)) this.request = await getWorkRequest(hub, id, signal);
  }

  /** The snapshot has the record's version for its id, so what was heard is counted by events: 0 asks for all. */
  private get lastEventNo(): number {
    return this.events.at(-1)?.event_no ?? 0;
  }

  private hasFinished(): boolean {
    return this.request !== null && isFinished(this.request);
  }

  private isWaiting(): boolean {
    return this.request?.request_status === 'QUEUED' || this.request?.request_status === 'SCHEDULING';
  }
}
