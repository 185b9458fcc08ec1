import { monitorEventLoopDelay } from 'node:perf_hooks';
import { HubClient } from '../test/support/hub-client.js';
import { isReady, type PodObject } from '../test/kubernetes/control-plane/cluster.js';
import { checkQuietAndStop } from './check-quiet.js';
import { type ClusterHub, startClusterHub } from './cluster-hub.js';
import { percentile, type Proof, type ProofContext } from './proof.js';
import type { TestModel } from './proof-hub.js';
import { chains } from './steady-load.js';

const samples = { full: 150, small: 10 };
/** Of a few samples the highest would be the 99th percentile: it says what else the machine did. */
const claimedShare = { full: 0.99, small: 0.5 };
const calledWithinMs = 50;
const finishWithinMs = 60_000;
const nanosecondsPerMs = 1e6;

/** Each request meets another model than the last ones, so that no instance is warm. */
const modelCount = 6;
const modelOf = (turn: number) => `ready-${turn % modelCount}`;
export const readyModels: readonly TestModel[] = Array.from({ length: modelCount }, (_, turn) => ({
  id: modelOf(turn),
  env: { MODE: 'good' },
}));

/** Nothing that polls stands between an instance that is ready and the request that waits for it. */
export const readyToCalled: Proof = {
  name: 'kubernetes-5',
  title: 'from the event that a pod is ready to the first call of its model',
  async run(context) {
    const hub = await startClusterHub({ models: readyModels, warmSeconds: 1 });
    try {
      await measureReadyToCalled(hub, context);
      await checkQuietAndStop(hub, context);
    } finally {
      await hub.stop();
    }
  },
};

/** Sends requests that each have to wait for a fresh pod, and holds their first calls to the limit. */
export async function measureReadyToCalled(hub: ClusterHub, context: ProofContext): Promise<void> {
  const readyTimes = ReadyTimes.watch(hub);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const client = await HubClient.asGuest(hub.stack.url);
  const sent = await sendOneByOne(client, samples[context.small ? 'small' : 'full']);
  delay.disable();
  await readyTimes.stop();
  const waits = await readWaits(hub, sent, readyTimes);
  // The watch beside the hub's hears of a pod later by as much as this process was busy.
  tellWaits(context, waits, delay.percentile(99) / nanosecondsPerMs);
}

function tellWaits({ claim, say, small }: ProofContext, waits: readonly number[], lag: number): void {
  say('first calls of fresh pods', waits.length);
  for (const share of [0.5, 0.9, 0.99])
    say(`pod ready → model called, p${share * 100}`, `${percentile(waits, share).toFixed(0)} ms`);
  say('by which the clock beside may be late, p99', `${lag.toFixed(1)} ms`);
  const share = claimedShare[small ? 'small' : 'full'];
  const claimed = percentile(waits, share);
  claim(
    `p${share * 100} of pod ready → model called is at most ${calledWithinMs} ms`,
    claimed <= calledWithinMs,
    `${claimed.toFixed(0)} ms, the longest ${Math.max(...waits).toFixed(0)} ms`,
  );
}

interface SentRow {
  readonly requestId: number;
  readonly modelId: string;
  readonly row: string;
}

/**
 * One row each, unlike any other, one after the other: in a cluster the start of one server takes no time from another's
 * node, or from the hub's.
 */
async function sendOneByOne(client: HubClient, count: number): Promise<SentRow[]> {
  const sent: SentRow[] = [];
  for (const [turn, row] of chains(count).entries()) {
    const { id } = await client.submitEntries(modelOf(turn), [row], false);
    await client.untilFinished(id, finishWithinMs, 50);
    sent.push({ requestId: id, modelId: modelOf(turn), row });
  }
  return sent;
}

/** Of each request that was its pod's first: the time from the event of readiness to its call, in ms. */
async function readWaits(
  hub: ClusterHub,
  sent: readonly SentRow[],
  readyTimes: ReadyTimes,
): Promise<number[]> {
  const firsts = await hub.rows<{ request_id: string; uid: string }>(
    `select distinct on (i.id) l.request_id::text, i.uid from instance_lease l
       join model_instance i on i.id = l.instance_id order by i.id, l.granted_at`,
  );
  const uidOf = new Map(firsts.map(({ request_id, uid }) => [Number(request_id), uid]));
  return sent.flatMap(({ requestId, modelId: model, row }) => {
    const ready = readyTimes.of(uidOf.get(requestId) ?? '');
    const call = hub.calls(model).find(({ rows }) => rows[0] === row);
    return ready !== null && call ? [call.at - ready] : [];
  });
}

/** When each pod was first said to be ready, heard by a watch beside the hub's own. */
class ReadyTimes {
  readonly #times = new Map<string, number>();
  readonly #stopping = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  static watch({ plane, namespace }: ClusterHub): ReadyTimes {
    const times = new ReadyTimes();
    const path = `/api/v1/namespaces/${namespace}/pods?watch=true`;
    const { signal } = times.#stopping;
    const hear = ({ object }: { object: unknown }) => times.#hear(object as PodObject);
    times.#watching = plane.admin.watch(path, hear, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    return times;
  }

  /** Epoch ms; null for a pod that never was. */
  of(uid: string): number | null {
    return this.#times.get(uid) ?? null;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  #hear(pod: PodObject): void {
    const { uid } = pod.metadata;
    if (isReady(pod) && !this.#times.has(uid)) this.#times.set(uid, Date.now());
  }
}
