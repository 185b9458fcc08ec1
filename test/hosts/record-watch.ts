import type { HostEvent, HostWatch, ModelHost, ObservedInstance } from '../../hosts/model-host.js';

/** A watch that keeps everything it was told, and lets a test wait for what it expects. */
export interface RecordedWatch {
  readonly watch: HostWatch;
  readonly events: readonly HostEvent[];
  /** Every observation of this very instance, oldest first. */
  historyOf(instance: ObservedInstance): ObservedInstance[];
  latest(instance: ObservedInstance): ObservedInstance | undefined;
  until(instance: ObservedInstance, is: (seen: ObservedInstance) => boolean): Promise<ObservedInstance>;
  untilGone(instance: ObservedInstance): Promise<void>;
  close(): void;
}

const PATIENCE_MS = 15_000;

/** @param patienceMs how long what a test waits for may take */
export function recordWatch(host: ModelHost, patienceMs = PATIENCE_MS): RecordedWatch {
  const events: HostEvent[] = [];
  const waiters = new Set<() => void>();
  const watch = host.watch((event) => {
    events.push(event);
    for (const waiter of waiters) waiter();
  });
  const historyOf = ({ uid }: ObservedInstance) =>
    events
      .flatMap((event) => (event.type === 'listed' ? event.instances : [event.instance]))
      .filter((seen) => seen.uid === uid);
  const isGone = ({ uid }: ObservedInstance) =>
    events.reduce((gone, event) => {
      if (event.type === 'listed') return event.instances.every((listed) => listed.uid !== uid);
      return event.instance.uid === uid ? event.type === 'gone' : gone;
    }, false);
  const wait = <Found>(what: string, find: () => Found | undefined) =>
    new Promise<Found>((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        waiters.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        waiters.delete(look);
        reject(new Error(`${what} was not seen in ${patienceMs} ms; last: ${JSON.stringify(events.at(-1))}`));
      }, patienceMs);
      waiters.add(look);
      look();
    });
  return {
    watch,
    events,
    historyOf,
    latest: (instance) => historyOf(instance).at(-1),
    until: (instance, is) =>
      wait(`the expected state of ${instance.instanceId}`, () => historyOf(instance).find(is)),
    untilGone: async (instance) => {
      await wait(`the end of ${instance.instanceId}`, () => isGone(instance) || undefined);
    },
    close: () => watch.close(),
  };
}

/** Gathers what a stream gives into `lines`, until it ends. */
export async function collect(
  stream: AsyncIterable<string>,
  lines: string[],
  each: (line: string) => void = () => undefined,
): Promise<void> {
  for await (const line of stream) {
    lines.push(line);
    each(line);
  }
}
