import type { WatchedInstanceEvent } from '../../hosts/model-host.js';
import type { ActivityDependencies } from '../dependencies.js';
import { keepHostEvents } from '../instances/keep-host-events.js';
import type { AssertLeading } from '../instances/write-observations.js';

const AT_ONCE = 500;
/** What belongs to an instance that is still being created is tried again after this; what failed, ever later. */
const AGAIN_MS = 1_000;
const LATEST_AGAIN_MS = 60_000;
/**
 * More than this is not kept in memory while the database is away: the oldest go, and are read from the host again when
 * their instance ends.
 */
const MOST_WAITING = 20_000;

/** The leader's work, one piece after the other, for as long as its term lasts. */
interface EventDuties {
  queue(lane: 'events', work: () => Promise<void>): void;
}

/** Writes what the host reports of instances, as it reports it. @returns a function that ends it */
export function writeHostEvents(
  deps: Pick<ActivityDependencies, 'host' | 'database'>,
  assertLeading: AssertLeading,
  duties: EventDuties,
): () => void {
  const line = new EventLine(duties, (events) => keepHostEvents(deps.database, events, assertLeading));
  const watch = deps.host.watchEvents((event) => line.add(event));
  return () => {
    watch.close();
    line.close();
  };
}

/** Events on their way into rows. */
class EventLine {
  #waiting: WatchedInstanceEvent[] = [];
  #isQueued = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #againMs = AGAIN_MS;

  /** @param write gives back the events that it is too early for */
  constructor(
    private readonly duties: EventDuties,
    private readonly write: (events: readonly WatchedInstanceEvent[]) => Promise<WatchedInstanceEvent[]>,
  ) {}

  add(event: WatchedInstanceEvent): void {
    this.#waiting.push(event);
    this.#queue();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #writeWaiting(): Promise<void> {
    this.#isQueued = false;
    const early: WatchedInstanceEvent[] = [];
    while (this.#waiting.length > 0) {
      const next = this.#waiting.splice(0, AT_ONCE);
      try {
        early.push(...(await this.write(next)));
      } catch (error) {
        this.#tryAgain([...early, ...next]);
        this.#againMs = Math.min(LATEST_AGAIN_MS, this.#againMs * 2);
        throw error;
      }
    }
    this.#againMs = AGAIN_MS;
    if (early.length > 0) this.#tryAgain(early);
  }

  #queue(): void {
    if (this.#isQueued || this.#isClosed) return;
    this.#isQueued = true;
    this.duties.queue('events', () => this.#writeWaiting());
  }

  #tryAgain(events: readonly WatchedInstanceEvent[]): void {
    this.#waiting = [...this.#waiting, ...events].slice(-MOST_WAITING);
    clearTimeout(this.#timer);
    // A piece of work may fail because the term is over: another leader writes what it did not.
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#queue(), this.#againMs);
  }
}
