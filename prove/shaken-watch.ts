import { setTimeout as sleep } from 'node:timers/promises';
import type { HostEvent, HostWatch, ModelHost } from '../hosts/model-host.js';
import type { FaultProxy } from '../test/kubernetes/control-plane/fault-proxy.js';
import type { ToldChange } from './compare-watches.js';
import type { PodTruth } from './pod-truth.js';

/** What goes wrong on the way of a watch. `restart` goes wrong for all of them at once. */
const watchFaults = ['reset', 'disconnect', '500', '429', '410', 'silence', 'restart'] as const;
export type WatchFault = (typeof watchFaults)[number];

export interface SufferedFault {
  readonly fault: WatchFault;
  readonly from: number;
  /** When the watch was seen to go on; null when it was not, within the time that is waited. */
  readonly until: number | null;
}

const withinMs = 30_000;
const lookEveryMs = 10;

/** A host behind a way that is broken again and again, and all it told. */
export class ShakenWatch {
  readonly told: ToldChange[] = [];
  readonly faults: SufferedFault[] = [];
  lists = 0;
  readonly #present = new Map<string, number>();
  readonly #watch: HostWatch;
  #newest = 0;

  constructor(
    private readonly host: ModelHost,
    readonly proxy: FaultProxy,
    private readonly truth: PodTruth,
  ) {
    this.#watch = host.watch((event) => this.#take(event));
  }

  /** Waits until the first list is there. */
  async begin(): Promise<void> {
    while (this.lists === 0) await sleep(lookEveryMs);
  }

  /** Lets one fault happen, and waits until the watch tells of changes that came after it. */
  async suffer(fault: Exclude<WatchFault, 'restart'>, random: () => number): Promise<void> {
    const from = Date.now();
    const lastsMs = this.#cause(fault, random());
    await this.recover(fault, from, from + lastsMs);
    await this.#catchUp();
    this.proxy.pass();
    await sleep(100 + random() * 300);
  }

  /** Waits until the watch tells of a change that was made after `since`. */
  async recover(fault: WatchFault, from: number, since: number): Promise<void> {
    const deadline = since + withinMs;
    for (;;) {
      const first = this.truth.firstAfter(since);
      const isBack = first !== undefined && this.#newest >= first.version;
      if (isBack || Date.now() > deadline) {
        this.faults.push({ fault, from, until: isBack ? Date.now() : null });
        return;
      }
      await sleep(lookEveryMs);
    }
  }

  /** What came during one fault is told before the next: else it would be blind for both, and one of them be blamed. */
  async #catchUp(): Promise<void> {
    const last = this.truth.changes.at(-1)?.version ?? 0;
    const deadline = Date.now() + withinMs;
    while (this.#newest < last && Date.now() < deadline) await sleep(lookEveryMs);
  }

  async close(): Promise<void> {
    this.#watch.close();
    await this.host.close();
    await this.proxy.stop();
  }

  /** @returns how long it lasts, ms */
  #cause(fault: Exclude<WatchFault, 'restart'>, chance: number): number {
    const lastsMs = 100 + chance * 2400;
    switch (fault) {
      case 'reset':
        this.proxy.reset();
        return 0;
      case 'disconnect':
        this.proxy.disconnect();
        return 0;
      case '410':
        this.proxy.expireNextWatch();
        this.proxy.disconnect();
        return 0;
      case 'silence':
        this.proxy.stall(lastsMs);
        return lastsMs;
      case '429':
      case '500':
        this.proxy.fail(Number(fault), lastsMs);
        return lastsMs;
    }
  }

  #take(event: HostEvent): void {
    const at = Date.now();
    if (event.type !== 'listed') {
      const { uid, resourceVersion: version } = event.instance;
      const gone = event.type === 'gone';
      this.#tell({ uid, version, gone, byList: false, at });
      return;
    }
    this.lists += 1;
    const listed = new Set(event.instances.map(({ uid }) => uid));
    for (const [uid, version] of this.#present)
      if (!listed.has(uid)) this.#tell({ uid, version, gone: true, byList: true, at });
    for (const { uid, resourceVersion: version } of event.instances)
      this.#tell({ uid, version, gone: false, byList: true, at });
  }

  #tell(change: ToldChange): void {
    this.told.push(change);
    this.#newest = Math.max(this.#newest, change.version);
    if (change.gone) this.#present.delete(change.uid);
    else this.#present.set(change.uid, change.version);
  }
}
