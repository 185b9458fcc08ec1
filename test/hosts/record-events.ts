import { setTimeout as sleep } from 'node:timers/promises';
import type { HostWatch, ModelHost, ObservedInstance, WatchedInstanceEvent } from '../../hosts/model-host.js';

const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 25;

/** A watch of events that lets a test wait for one of them. */
export interface RecordedEvents {
  readonly watch: HostWatch;
  /** The first event of this very instance with this reason. */
  until(instance: ObservedInstance, reason: string): Promise<WatchedInstanceEvent>;
}

export function recordEvents(host: ModelHost): RecordedEvents {
  const told: WatchedInstanceEvent[] = [];
  const watch = host.watchEvents((event) => told.push(event));
  return {
    watch,
    until: ({ uid }, reason) =>
      poll(`the event ${reason}`, () => told.find((event) => event.uid === uid && event.reason === reason)),
  };
}

/** The events of an instance, once those with these reasons are among them: a host may write them a little later. */
export function untilEvents(
  host: ModelHost,
  instanceId: string,
  ...reasons: readonly string[]
): Promise<readonly WatchedInstanceEvent[]> {
  return poll(`events ${reasons.join(', ')}`, async () => {
    const events = await host.listEvents(instanceId);
    return reasons.every((reason) => events.some((event) => event.reason === reason)) ? events : undefined;
  });
}

async function poll<Found>(
  what: string,
  look: () => Found | undefined | Promise<Found | undefined>,
): Promise<Found> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(LOOK_EVERY_MS)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} did not come within ${PATIENCE_MS} ms`);
}
