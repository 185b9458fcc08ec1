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
  let waiting: WatchedInstanceEvent[] = [];
  let isQueued = false;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  let againMs = AGAIN_MS;

  function add(events: readonly WatchedInstanceEvent[]): void {
    waiting = [...waiting, ...events].slice(-MOST_WAITING);
  }

  async function writeWaiting(): Promise<void> {
    isQueued = false;
    const early: WatchedInstanceEvent[] = [];
    while (waiting.length > 0) {
      const next = waiting.splice(0, AT_ONCE);
      try {
        early.push(...(await keepHostEvents(deps.database, next, assertLeading)));
      } catch (error) {
        add([...early, ...next]);
        tryAgain();
        againMs = Math.min(LATEST_AGAIN_MS, againMs * 2);
        throw error;
      }
    }
    againMs = AGAIN_MS;
    if (early.length === 0) return;
    add(early);
    tryAgain();
  }

  function queueWriting(): void {
    if (isQueued || isOver) return;
    isQueued = true;
    duties.queue('events', writeWaiting);
  }

  function tryAgain(): void {
    clearTimeout(timer);
    // A piece of work may fail because the term is over: another leader writes what it did not.
    if (!isOver) timer = setTimeout(queueWriting, againMs);
  }

  const watch = deps.host.watchEvents((event) => {
    waiting.push(event);
    queueWriting();
  });
  return () => {
    isOver = true;
    watch.close();
    clearTimeout(timer);
  };
}
