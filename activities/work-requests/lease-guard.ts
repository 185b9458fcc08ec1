import { INSTANCE_CHANNEL } from '../../db/queries/instance-events.js';
import { isInForce, readLease, type LeaseFacts } from '../../db/queries/leases.js';
import { REQUEST_CHANNEL } from '../../db/queries/request-progress.js';
import { isUsable } from '../../domain/instance/instance.js';
import { isOverAtHost } from '../../domain/instance/life.js';
import type { ObservedInstance } from '../../hosts/model-host.js';
import type { ActivityDependencies } from '../dependencies.js';

/** Why work under a lease stopped before it was done. */
export type StopCause = 'lease over' | 'instance over' | 'cancelled';

/** A lease that could not be read is read again after this long: there may be no further change to hear of. */
const READ_AGAIN_MS = 1_000;

/** Watches over work under a lease: its signal aborts as soon as the work can't count any more. */
export interface LeaseGuard {
  readonly signal: AbortSignal;
  readonly cause: StopCause | null;
  /** Resolves with `host:port` when the instance answers; rejects when the guard stops. */
  untilReady(): Promise<string>;
  /** Resolves when the instance is known to be over, or after `ms`. */
  untilOver(ms: number): Promise<void>;
  close(): void;
}

type GuardDependencies = Pick<ActivityDependencies, 'database' | 'notifications' | 'instances' | 'log'>;

/** Subscribes first and looks then, so that nothing between the two is missed. */
export function guardLease(deps: GuardDependencies, lease: LeaseFacts, cancelled: AbortSignal): LeaseGuard {
  return new Guard(deps, lease, cancelled);
}

class Guard implements LeaseGuard {
  readonly #stop = new AbortController();
  readonly #wakers = new Set<() => void>();
  readonly #subscriptions: (() => void)[];
  #cause: StopCause | null = null;
  #readingAgain: NodeJS.Timeout | undefined;
  #closed = false;
  /** Only what this worker saw can be missing: its watch may lag behind the row, which says when an instance is lost. */
  #seen = false;
  /** Null until its host has taken it in. */
  #uid: string | null;

  constructor(
    private readonly deps: GuardDependencies,
    private readonly lease: LeaseFacts,
    cancelled: AbortSignal,
  ) {
    this.#uid = lease.uid;
    const onCancel = () => this.#end('cancelled');
    cancelled.addEventListener('abort', onCancel);
    this.#subscriptions = [
      () => cancelled.removeEventListener('abort', onCancel),
      deps.instances.onChange(lease.instance_id!, () => this.#look()),
      deps.notifications.on(INSTANCE_CHANNEL, (id) => {
        if (id === null || id === lease.instance_id) this.#reread();
      }),
      deps.notifications.on(REQUEST_CHANNEL, (change) => {
        if (change === null || change.startsWith(`${lease.request_id}:`)) this.#reread();
      }),
    ];
    if (cancelled.aborted) onCancel();
    else this.#look();
    // The lease was read before this guard listened: a change in between would go unheard.
    this.#reread();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get cause(): StopCause | null {
    return this.#cause;
  }

  untilReady(): Promise<string> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const observed = this.#observe();
        if (this.signal.aborted) reject(this.signal.reason as Error);
        else if (observed?.ready && observed.address) resolve(observed.address);
        else return;
        this.#wakers.delete(check);
      };
      this.#wakers.add(check);
      check();
    });
  }

  untilOver(ms: number): Promise<void> {
    return untilAborted(this.signal, ms);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#readingAgain);
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  #end(why: StopCause): void {
    this.#cause ??= why;
    this.#stop.abort(new Error(`the work on request ${this.lease.request_id} stopped: ${why}`));
    this.#wake();
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
  }

  #look(): void {
    const observed = this.#observe();
    this.#seen ||= observed !== null;
    const over = observed ? isOverAtHost(observed) : this.#seen && this.deps.instances.current;
    if (over) this.#end('instance over');
    else this.#wake();
  }

  /** Another of the same name is another instance: what it answers is not the lease's. */
  #observe(): ObservedInstance | null {
    const observed = this.deps.instances.see(this.lease.instance_id!);
    return this.#uid === null || observed?.uid === this.#uid ? observed : null;
  }

  #reread(): void {
    void this.#readAgain().catch((error: Error) => {
      if (this.#closed) return;
      this.deps.log.warn('a lease could not be read; it is read again in a moment', {
        error: error.message,
      });
      clearTimeout(this.#readingAgain);
      this.#readingAgain = setTimeout(() => this.#reread(), READ_AGAIN_MS);
    });
  }

  async #readAgain(): Promise<void> {
    const now = await readLease(this.deps.database, this.lease.lease_token);
    this.#uid ??= now?.uid ?? null;
    if (!now || !isInForce(now)) this.#end('lease over');
    else if (now.instance_state && !isUsable(now.instance_state)) this.#end('instance over');
    else this.#look();
  }
}

function untilAborted(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
