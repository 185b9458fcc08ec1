import { setTimeout as sleep } from 'node:timers/promises';
import { startControlPlane, type ControlPlane } from '../test/kubernetes/control-plane/control-plane.js';
import { MEBIBYTE } from '../test/factories/mebibyte.js';
import { openKubernetesHost } from '../test/support/kubernetes-host.js';
import { compareWatches } from './compare-watches.js';
import { PodLoad } from './pod-load.js';
import { PodTruth } from './pod-truth.js';
import { percentile, type Proof, type ProofContext, seededRandom } from './proof.js';
import { ShakenWatch, type WatchFault } from './shaken-watch.js';

const blindWithinMs = 5000;
const silentWithinMs = 15_000;
const onTheWay = ['reset', 'disconnect', '500', '429', '410', 'silence'] as const;

/** Sizes of a run. Small ones leave silence out, which takes 13 s by itself and has a spec of its own. */
const sizes = {
  full: { watches: 8, faultsEach: 22, restarts: 24, faults: onTheWay, podsAtOnce: 6 },
  small: { watches: 5, faultsEach: 1, restarts: 1, faults: onTheWay.slice(0, 5), podsAtOnce: 3 },
} as const;

/** The watch of a cluster loses nothing by what can happen to it, and is blind for seconds only. */
export const kubernetes3WatchFaults: Proof = {
  name: 'kubernetes-3',
  title:
    'a watch through resets, 500, 429, silence, 410 and restarts of the API server, beside the store itself',
  async run(context) {
    const plane = await startControlPlane();
    try {
      await new WatchFaults(plane, context).run();
    } finally {
      await plane.stop();
    }
  },
};

class WatchFaults {
  readonly #random: () => number;
  readonly #size: (typeof sizes)[keyof typeof sizes];

  constructor(
    private readonly plane: ControlPlane,
    private readonly context: ProofContext,
  ) {
    this.#random = seededRandom(context.seed);
    this.#size = context.small ? sizes.small : sizes.full;
  }

  async run(): Promise<void> {
    const namespace = await this.plane.cluster.createNamespace();
    await this.plane.cluster.addNode({ name: 'node-1', cpuMillicores: 8000, memoryBytes: 8192 * MEBIBYTE });
    const truth = await PodTruth.follow(this.plane, namespace);
    const watches = await Promise.all(
      Array.from({ length: this.#size.watches }, () => this.#open(namespace, truth)),
    );
    const host = openKubernetesHost(await this.plane.kubeconfig('hub'), namespace);
    const load = new PodLoad(this.plane, namespace, host, this.#random, this.#size.podsAtOnce);
    await Promise.all(watches.map((watch, index) => this.#shake(watch, index)));
    for (let restart = 0; restart < this.#size.restarts; restart += 1) await this.#restart(watches);
    await load.stop();
    await this.#untilQuiet(truth, watches);
    this.#judge(truth, watches, load);
    truth.close();
    await Promise.all([host.close(), ...watches.map((watch) => watch.close())]);
  }

  async #open(namespace: string, truth: PodTruth): Promise<ShakenWatch> {
    const proxy = await this.plane.proxy();
    const host = openKubernetesHost(await proxy.kubeconfig('hub'), namespace);
    const watch = new ShakenWatch(host, proxy, truth);
    await watch.begin();
    return watch;
  }

  /** Each watch begins with another fault, so that small runs have all of them. */
  async #shake(watch: ShakenWatch, first: number): Promise<void> {
    const random = seededRandom(Math.trunc(this.#random() * 2 ** 32));
    const { faults, faultsEach } = this.#size;
    let chosen = first;
    for (let fault = 0; fault < faultsEach; fault += 1) {
      await watch.suffer(faults[chosen % faults.length]!, random);
      chosen = Math.floor(random() * faults.length);
    }
  }

  /** For all watches at once; while the API server is away nothing changes, so nobody is blind until it is back. */
  async #restart(watches: readonly ShakenWatch[]): Promise<void> {
    const from = Date.now();
    await this.plane.killApiServer();
    await sleep(this.#random() * 1000);
    await this.plane.startApiServer();
    const since = Date.now();
    await Promise.all(watches.map((watch) => watch.recover('restart', from, since)));
    await sleep(200);
  }

  /** Waits until all pods are gone and every watch had the time to tell it. */
  async #untilQuiet(truth: PodTruth, watches: readonly ShakenWatch[]): Promise<void> {
    const deadline = Date.now() + 30_000;
    const last = () => truth.changes.at(-1)!;
    const isTold = (watch: ShakenWatch) => watch.told.some(({ uid, gone }) => gone && uid === last().uid);
    while ((truth.pods > 0 || !watches.every(isTold)) && Date.now() < deadline) await sleep(25);
  }

  #judge(truth: PodTruth, watches: readonly ShakenWatch[], load: PodLoad): void {
    const { say, claim } = this.context;
    const compared = watches.map((watch) => ({ watch, ...compareWatches(truth.changes, watch.told) }));
    const sum = (count: (one: (typeof compared)[number]) => number) =>
      compared.reduce((total, one) => total + count(one), 0);
    say('pods that lived', `${load.lives}, with ${truth.changes.length} changes in the store`);
    say('faults', watches.length * this.#size.faultsEach + this.#size.restarts);
    const blind = compared.flatMap(({ watch, delays }) => blindTimes(watch, delays));
    say(
      'changes that a list replaced by a later one',
      sum(({ collapsed }) => collapsed),
    );
    say(
      'lists',
      sum(({ watch }) => watch.lists),
    );
    const missed = compared.flatMap((one) => one.missed);
    const untrue = compared.flatMap((one) => one.untrue);
    claim('no change is missed', missed.length === 0, sample(missed));
    claim('nothing untrue, old or doubled is told', untrue.length === 0, sample(untrue));
    claim(
      'no life goes by unseen',
      sum(({ wholeLives }) => wholeLives) === 0,
      sum((one) => one.wholeLives),
    );
    const stuck = watches.flatMap(({ faults }) => faults.filter(({ until }) => until === null));
    claim(
      'every watch goes on after every fault',
      stuck.length === 0,
      sample(stuck.map(({ fault }) => fault)),
    );
    this.#judgeTimes(blind);
    this.#judgeLists(watches);
  }

  #judgeTimes(blind: readonly BlindTime[]): void {
    for (const [fault, times] of Map.groupBy(blind, (one) => one.fault)) {
      const ms = times.map((one) => one.ms);
      const isSilence = fault === 'silence';
      const p99 = isSilence ? Math.max(...ms) : percentile(ms, 0.99);
      const limit = isSilence ? silentWithinMs : blindWithinMs;
      const seen = `p50 ${percentile(ms, 0.5).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, of ${ms.length}`;
      const sentence = `what happens is unknown for at most ${limit / 1000} s because of ${fault}`;
      this.context.claim(sentence, p99 <= limit, seen);
    }
  }

  #judgeLists(watches: readonly ShakenWatch[]): void {
    const isForgotten = ({ fault }: { fault: WatchFault }) => fault === '410' || fault === 'restart';
    const tooMany = watches.filter(({ lists, faults }) => lists > 1 + faults.filter(isForgotten).length);
    this.context.claim(
      'the namespace is listed once, and once where the past is forgotten',
      tooMany.length === 0,
    );
  }
}

interface BlindTime {
  readonly fault: WatchFault;
  readonly ms: number;
}

/** Of each fault the longest time that a change which came during it, or until the next one, was unknown. */
function blindTimes(
  { faults }: ShakenWatch,
  delays: readonly { readonly at: number; readonly delayMs: number }[],
): BlindTime[] {
  return faults.map(({ fault, from }, index) => {
    const next = faults[index + 1]?.from ?? Infinity;
    // What was on its way when the fault began was lost by it too.
    const during = delays.filter(({ at }) => at >= from - 100 && at < next - 100);
    return { fault, ms: Math.max(0, ...during.map(({ delayMs }) => delayMs)) };
  });
}

const sample = (faults: readonly string[]) =>
  faults.length === 0 ? 'none' : `${faults.length}, e.g. ${faults.slice(0, 3).join('; ')}`;
