import { performance } from 'node:perf_hooks';
import {
  type AssertLeading,
  LISTED_SECONDS,
  WATCHED_SECONDS,
  writeObservation,
} from '../instances/write-observations.js';
import { MS_PER_SECOND } from '../../domain/units.js';
import { ensurePartitions } from '../../db/partitions.js';
import type { RetentionSettings } from '../../db/retention.config.js';
import type { HostEvent } from '../../hosts/model-host.js';
import { NotLeadingError, seekLeadership } from './leadership.js';
import { MODEL_CHANNEL } from '../../db/queries/models.js';
import {
  createReconciler,
  serveWaiters,
  type Reconciliation,
  type ReconcilerDependencies,
} from './reconcile.js';
import { repeatGrants } from './repeat-grants.js';
import { writeHostEvents } from './write-host-events.js';

const RECONCILE_MS = 15_000;
const REPEAT_GRANTS_MS = 5_000;
/** What could not be written is tried again after this time, then ever later, in the end with every pass. */
const FIRST_REWRITE_MS = 1_000;

/** The duties of the one worker that leads: writing what the host says, and making everything agree. */
export interface Lead {
  readonly leading: boolean;
  close(): Promise<void>;
}

interface LeadDependencies extends ReconcilerDependencies {
  readonly retention: RetentionSettings;
}

/** Takes part in leading for as long as the worker lives. */
export function takePartInLeading(deps: LeadDependencies): Lead {
  const duties = new Duties((what, error) => {
    if (error instanceof NotLeadingError) deps.log.info(error.message);
    else deps.log.warn(`${what} failed; the next pass tries again`, { error: error.message });
  });
  const leadership = seekLeadership(deps.database, {
    onGained() {
      deps.log.info('this worker leads');
      takeUpDuties(deps, duties, (sql) => leadership.assertLeading(sql));
    },
    onLost() {
      deps.log.info('this worker leads no more');
      duties.stop();
    },
    onError: (error) => deps.log.warn('leading could not be renewed', { error: error.message }),
  });
  return {
    get leading() {
      return leadership.leading;
    },
    async close() {
      duties.stop();
      await duties.drained();
      await leadership.close();
    },
  };
}

/** What a leader does in its term: it writes what the host says, tells grants again and reconciles. */
function takeUpDuties(deps: LeadDependencies, duties: Duties, assertLeading: AssertLeading): void {
  const reconcile = createReconciler(deps, assertLeading);

  let rewriteMs = FIRST_REWRITE_MS;
  let isRewriting = false;

  async function observe(event: HostEvent, heardSeconds?: number): Promise<void> {
    try {
      await writeObservation(deps, assertLeading, event, heardSeconds);
      if (event.type === 'listed') rewriteMs = FIRST_REWRITE_MS;
    } catch (error) {
      lookAgainSoon();
      throw error;
    }
  }

  /** What could not be written must not be forgotten: everything is looked at again in a moment, by one timer only. */
  function lookAgainSoon(): void {
    if (isRewriting || rewriteMs > RECONCILE_MS) return;
    isRewriting = true;
    duties.later(rewriteMs, 'observing', () => {
      isRewriting = false;
      return observeAll(WATCHED_SECONDS);
    });
    rewriteMs *= 2;
  }

  /** What waited in line may be old: instead of a list what is known now is written, and the last change stands for all. */
  async function observeInTurn(event: HostEvent, heardAtMs: number): Promise<void> {
    if (event.type === 'listed') return observeAll(heardSeconds(heardAtMs));
    const { instanceId, uid, resourceVersion } = event.instance;
    const known = deps.instances.see(instanceId);
    const isFollowed = known?.uid === uid && known.resourceVersion > resourceVersion;
    if (event.type === 'gone' || !isFollowed) await observe(event);
  }

  /** While the host can't be seen nothing is taken for missing: its list comes when it can. */
  async function observeAll(heardSeconds: number): Promise<void> {
    if (deps.instances.current)
      await observe({ type: 'listed', instances: deps.instances.list() }, heardSeconds);
  }

  async function reconcileAndTell(): Promise<void> {
    duties.queue('observing', () => observeAll(WATCHED_SECONDS));
    duties.queue('partitions', () => makePartitions(deps));
    tellMended(deps, await reconcile());
  }

  duties.start([
    deps.instances.onEvent((event) => {
      const heardAtMs = performance.now();
      duties.queue('observing', () => observeInTurn(event, heardAtMs));
    }),
    writeHostEvents(deps, assertLeading, duties),
    // A model that was switched on or may have more instances: who waits for it is served at once.
    deps.notifications.on(MODEL_CHANNEL, () => duties.queue('serving', () => serveWaiters(deps))),
    every(REPEAT_GRANTS_MS, () => duties.queue('reconciling', () => repeatGrants(deps))),
    every(RECONCILE_MS, () => duties.queue('reconciling', reconcileAndTell)),
  ]);
  duties.queue('reconciling', reconcileAndTell);
}

function tellMended({ log }: LeadDependencies, mended: Reconciliation): void {
  if (Object.values(mended).some((count) => count > 0)) log.info('reconciled', { ...mended });
}

/**
 * Anyone may make them. It may take long, as it waits for whoever analyses a table: nothing else waits behind it, and the
 * leader's row, which has to be renewed, is not held meanwhile.
 */
async function makePartitions({ database, retention }: LeadDependencies): Promise<void> {
  await database.transaction((sql) => ensurePartitions(sql, retention));
}

/** Of what was made while a list waited in line only the watch could tell, and that may have fallen silent meanwhile. */
function heardSeconds(listedAtMs: number): number {
  return Math.min(WATCHED_SECONDS, LISTED_SECONDS + (performance.now() - listedAtMs) / MS_PER_SECOND);
}

type Lane = 'observing' | 'reconciling' | 'events' | 'serving' | 'partitions';

/** Work of a term of leading, in lanes: a long reconciliation does not hold up what the host says. */
class Duties {
  #stops: (() => void)[] = [];
  readonly #tails: Record<Lane, Promise<void>> = {
    observing: Promise.resolve(),
    reconciling: Promise.resolve(),
    events: Promise.resolve(),
    serving: Promise.resolve(),
    partitions: Promise.resolve(),
  };
  #term = 0;

  constructor(private readonly onFailure: (what: string, error: Error) => void) {}

  start(stops: (() => void)[]): void {
    this.#stops = stops;
  }

  stop(): void {
    this.#term += 1;
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  /** One after the other inside a lane; a failure is told and the lane goes on. */
  queue(lane: Lane, work: () => Promise<void>): void {
    const term = this.#term;
    this.#tails[lane] = this.#tails[lane].then(async () => {
      if (term !== this.#term) return;
      try {
        await work();
      } catch (error) {
        this.onFailure(lane, error as Error);
      }
    });
  }

  later(ms: number, lane: Lane, work: () => Promise<void>): void {
    const timer = setTimeout(() => this.queue(lane, work), ms);
    this.#stops.push(() => clearTimeout(timer));
  }

  async drained(): Promise<void> {
    await Promise.all(Object.values(this.#tails));
  }
}

function every(ms: number, work: () => void): () => void {
  const timer = setInterval(work, ms);
  return () => clearInterval(timer);
}
