import { INSTANCE_CHANNEL } from '../../db/queries/instance-events.js';
import { isInForce, readLease, type LeaseFacts } from '../../db/queries/leases.js';
import { REQUEST_CHANNEL } from '../../db/queries/request-progress.js';
import { isUsable } from '../../domain/instance/instance.js';
import type { ObservedInstance } from '../../hosts/model-host.js';
import type { ActivityDependencies } from '../dependencies.js';

/** Why work under a lease stopped before it was done. */
export type StopCause = 'lease over' | 'instance over' | 'cancelled';

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
  const instanceId = lease.instance_id!;
  const stop = new AbortController();
  const wakers = new Set<() => void>();
  let cause: StopCause | null = null;
  let seen = lease.uid !== null;
  const wake = () => wakers.forEach((waker) => waker());

  function end(why: StopCause): void {
    cause ??= why;
    stop.abort(new Error(`the work on request ${lease.request_id} stopped: ${why}`));
    wake();
  }

  function look(): void {
    const observed = deps.instances.see(instanceId);
    seen ||= observed !== null;
    if (observed ? isOver(observed) : seen && deps.instances.current) end('instance over');
    else wake();
  }

  async function reread(): Promise<void> {
    const now = await readLease(deps.database, lease.lease_token);
    if (!now || !isInForce(now)) end('lease over');
    else if (now.instance_state && !isUsable(now.instance_state)) end('instance over');
    else look();
  }
  const rereadSafely = () =>
    void reread().catch((error: Error) =>
      deps.log.warn('a lease could not be read; the next change reads it again', { error: error.message }),
    );

  const onCancel = () => end('cancelled');
  cancelled.addEventListener('abort', onCancel);
  const subscriptions = [
    deps.instances.onChange(instanceId, look),
    deps.notifications.on(INSTANCE_CHANNEL, (id) => (id === null || id === instanceId) && rereadSafely()),
    deps.notifications.on(REQUEST_CHANNEL, (change) => {
      if (change === null || change.startsWith(`${lease.request_id}:`)) rereadSafely();
    }),
  ];
  if (cancelled.aborted) onCancel();
  else look();
  // The lease was read before this guard listened: a change in between would go unheard.
  rereadSafely();

  return {
    signal: stop.signal,
    get cause() {
      return cause;
    },
    untilReady: () =>
      new Promise((resolve, reject) => {
        const check = () => {
          const observed = deps.instances.see(instanceId);
          if (stop.signal.aborted) reject(stop.signal.reason as Error);
          else if (observed?.ready && observed.address) resolve(observed.address);
          else return;
          wakers.delete(check);
        };
        wakers.add(check);
        check();
      }),
    untilOver: (ms) => untilAborted(stop.signal, ms),
    close() {
      cancelled.removeEventListener('abort', onCancel);
      for (const unsubscribe of subscriptions) unsubscribe();
    },
  };
}

/** True when the instance can't serve any more. */
export function isOver(observed: ObservedInstance): boolean {
  return (
    observed.terminating ||
    observed.phase === 'Failed' ||
    observed.phase === 'Succeeded' ||
    observed.restartCount > 0
  );
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
