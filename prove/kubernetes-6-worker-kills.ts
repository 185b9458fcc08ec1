import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildPod } from '../hosts/kubernetes/build-pod.js';
import type { HubIdentity } from '../hosts/kubernetes/hub-labels.js';
import { sendSignal } from '../hosts/local/proc-files.js';
import { HubClient } from '../test/support/hub-client.js';
import { kubernetesSpec } from '../test/support/kubernetes-host.js';
import { checkOwners, instanceOf, ownPods, readOwners } from './check-owners.js';
import { checkQuietAndStop } from './check-quiet.js';
import { checkRequests, claimAllFinish } from './check-requests.js';
import { clusterModels, clusterWarmSeconds, learnExpectations, nextOnCluster } from './cluster-load.js';
import { type ClusterHub, removePods, startClusterHub } from './cluster-hub.js';
import { FurtherProcess } from './further-process.js';
import { ownerlessMs } from './pod-owners.js';
import { type Proof, type ProofContext, seededRandom } from './proof.js';
import { SteadyLoad } from './steady-load.js';

const kills = { full: 200, small: 4 };
const requestsPerSecond = { full: 0.6, small: 2 };
const finishWithinMs = 60_000;
const orphansGoneWithinMs = 60_000;

/**
 * Half of the kills follow so soon that a worker has hardly started; before the others it has time to lead, to move
 * instances along and to finish shards: rows that were begun twelve times and never finished are given up.
 */
const shortPause = { share: 0.5, fromMs: 100, toMs: 2500 };
const longPause = { fromMs: 4000, toMs: 7000 };

/** The worker is killed at any moment of instances' lives: every pod keeps its owner, or goes. */
export const workerKills: Proof = {
  name: 'kubernetes-6',
  title: 'kill -9 of the worker at random moments of instances’ lives, under load',
  async run(context) {
    const hub = await startClusterHub({ models: clusterModels, warmSeconds: clusterWarmSeconds });
    // The supervisor waits ever longer before it starts its worker again: this one is back at once.
    const worker = await FurtherProcess.start('temporal/worker.main.js', hub.environment);
    try {
      await killWorkers(hub, context, [worker]);
      await worker.stop();
      await checkQuietAndStop(hub, context);
    } finally {
      await worker.stop();
      await hub.stop();
    }
  },
};

/** Kills all workers at once, again and again, and then holds everything to what must be true. */
export async function killWorkers(
  hub: ClusterHub,
  context: ProofContext,
  further: readonly FurtherProcess[],
): Promise<void> {
  const { small } = context;
  const random = seededRandom(context.seed);
  const client = await HubClient.asGuest(hub.stack.url);
  const expectations = await learnExpectations(client);
  const strangers = await plantStrangers(hub);
  const load = new SteadyLoad(client, requestsPerSecond[small ? 'small' : 'full'], () =>
    nextOnCluster(random),
  );
  const lastKillMs = await killAgainAndAgain(hub, context, further, random);
  await load.stop();
  await claimAllFinish(hub, context, 'all finish within 60 s of the last kill', {
    sinceMs: lastKillMs,
    withinMs: finishWithinMs,
  });
  await checkRequests(hub, client, load.accepted, expectations, context);
  await checkOrphans(hub, context, lastKillMs);
  await checkStrangers(hub, context, strangers);
  await checkOwners(hub, context);
}

async function killAgainAndAgain(
  hub: ClusterHub,
  { small, say }: ProofContext,
  further: readonly FurtherProcess[],
  random: () => number,
): Promise<number> {
  const most = kills[small ? 'small' : 'full'];
  const states = new Map<string, number>();
  let killed = 0;
  let lastKillMs = Date.now();
  for (let round = 0; round < most; round += 1) {
    await sleep(pauseMs(random, small));
    // Between two kills somebody else makes a pod that nobody knows.
    if (!small && round % 40 === 20) await plantOrphan(hub);
    for (const { state, count } of await readStates(hub)) states.set(state, (states.get(state) ?? 0) + count);
    const pids = [hub.stack.processes.worker, ...further.map(({ pid }) => pid)];
    for (const pid of pids.filter((each) => each !== undefined)) {
      sendSignal(pid, 'SIGKILL');
      killed += 1;
    }
    lastKillMs = Date.now();
  }
  say('kills', `${most}, of ${killed} processes`);
  say(
    'instances at the kills',
    [...states].map(([state, count]) => `${count} ${state}`).join(', ') || 'none',
  );
  return lastKillMs;
}

function pauseMs(random: () => number, small: boolean): number {
  const { fromMs, toMs } = small || random() < shortPause.share ? shortPause : longPause;
  return fromMs + random() * (toMs - fromMs);
}

async function readStates(hub: ClusterHub): Promise<{ state: string; count: number }[]> {
  return hub.rows(
    `select state, count(*)::int as count from model_instance where state <> 'TERMINATED' group by state`,
  );
}

/** Pods that look like the hub's, and are not: other hubs', one of its name among them, nobody's, and one in another namespace. */
async function plantStrangers(hub: ClusterHub): Promise<ReadonlySet<string>> {
  const { plane, namespace, identity } = hub;
  const elsewhere = await plane.cluster.createNamespace();
  const uids = new Set<string>();
  const plant = async (pod: object, place: string) => {
    const { metadata } = await plane.cluster.createPod(place, pod);
    uids.add(metadata.uid);
  };
  await plant(strangePod(namespace, { ...identity, name: 'another-hub' }), namespace);
  await plant(strangePod(namespace, { ...identity, id: randomUUID() }), namespace);
  const { spec } = strangePod(namespace, identity);
  const unlabelled = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'model-of-nobody', namespace },
    spec,
  };
  await plant(unlabelled, namespace);
  await plant(strangePod(elsewhere, identity), elsewhere);
  return uids;
}

/** A pod with this hub's labels that no instance of it stands for. */
async function plantOrphan({ plane, namespace, identity }: ClusterHub): Promise<void> {
  await plane.cluster.createPod(namespace, strangePod(namespace, identity));
}

function strangePod(namespace: string, hub: HubIdentity) {
  const spec = kubernetesSpec({ instanceId: randomUUID() });
  return buildPod(spec, null, { hub, namespace, modelPort: 8080, gracePeriodSeconds: 1 });
}

/** Counted from the last kill: before it nobody may have led long enough to end anything. */
async function checkOrphans(hub: ClusterHub, { claim }: ProofContext, sinceMs: number): Promise<void> {
  let orphans = await readOrphans(hub);
  while (orphans.length > 0 && Date.now() - sinceMs < orphansGoneWithinMs) {
    await sleep(250);
    orphans = await readOrphans(hub);
  }
  claim('no pod is without an owner 60 s after the last kill', orphans.length === 0, orphans.join(' '));
}

/** Pods of this hub that exist now and have no live row, with how long that is so. */
async function readOrphans(hub: ClusterHub): Promise<string[]> {
  const rows = await readOwners(hub);
  const now = Date.now();
  return ownPods(hub)
    .filter(({ goneAtMs }) => goneAtMs === null)
    .map((pod) => ({ pod, ms: ownerlessMs(pod, rows.get(instanceOf(pod)), now) }))
    .filter(({ ms }) => ms > 0)
    .map(({ pod, ms }) => `${pod.name} for ${(ms / 1000).toFixed(0)} s`);
}

/** Takes them away in the end, so that what is left over can be counted. */
async function checkStrangers(
  hub: ClusterHub,
  { claim }: ProofContext,
  strangers: ReadonlySet<string>,
): Promise<void> {
  const kept = hub.pods.all.filter(
    ({ uid, endOrderedAtMs }) => strangers.has(uid) && endOrderedAtMs === null,
  );
  claim(
    'no pod of anyone else was touched',
    kept.length === strangers.size,
    `${kept.length} of ${strangers.size} are as they were`,
  );
  await removePods(hub, strangers);
}
