import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { sendSignal } from '../hosts/local/proc-files.js';
import { freePort } from '../local/ports.js';
import { readEventStream } from '../local/read-event-stream.js';
import { temporalNamespace } from '../local/temporal-server.js';
import { HUB_TASK_QUEUE } from '../temporal/task-queue.js';
import { HubClient } from '../test/support/hub-client.js';
import { askAnyProcess } from './ask-any-process.js';
import { checkOwners } from './check-owners.js';
import { checkQuietAndStop } from './check-quiet.js';
import { checkRequests, claimAllFinish } from './check-requests.js';
import { clusterModels, clusterWarmSeconds, learnExpectations, nextOnCluster } from './cluster-load.js';
import { type ClusterHub, startClusterHub } from './cluster-hub.js';
import { FurtherProcess } from './further-process.js';
import { doMainJob } from './kubernetes-1-main-job.js';
import { type Proof, type ProofContext, seededRandom } from './proof.js';
import { chains, SteadyLoad } from './steady-load.js';

const kills = { full: 30, small: 4 };
const finishWithinMs = 60_000;
const activityTasks = 2;

/** A worker and an api process beside those of the stack. */
export interface SecondPair {
  readonly worker: FurtherProcess;
  readonly api: FurtherProcess;
  readonly url: string;
}

/** Starts them as another machine would run them. */
export async function startSecondPair({ environment }: ClusterHub): Promise<SecondPair> {
  const port = await freePort();
  const worker = await FurtherProcess.start('temporal/worker.main.js', environment);
  try {
    const api = await FurtherProcess.start('api/main.js', {
      ...environment,
      PORT: String(port),
      HOST: '127.0.0.1',
    });
    return { worker, api, url: `http://127.0.0.1:${port}` };
  } catch (error) {
    await worker.stop();
    throw error;
  }
}

export async function stopSecondPair({ worker, api }: SecondPair): Promise<void> {
  await Promise.all([worker.stop(), api.stop()]);
}

/** Everything that is true of one worker and one api process is true of two of each. */
export const twoOfEach: Proof = {
  name: 'kubernetes-8',
  title:
    'two workers and two api processes: the main job, live events, and kill -9 of any of them under load',
  async run(context) {
    const hub = await startClusterHub({ models: clusterModels, warmSeconds: clusterWarmSeconds });
    let pair: SecondPair | undefined;
    try {
      pair = await startSecondPair(hub);
      const client = await HubClient.asGuest(hub.stack.url);
      await doMainJob(hub, context, client, client.at(pair.url));
      await askAnyProcess(hub, context, pair.url);
      await workAsTwo(hub, context, pair);
      await stopSecondPair(pair);
      await checkQuietAndStop(hub, context);
    } finally {
      if (pair) await stopSecondPair(pair);
      await hub.stop();
    }
  },
};

/** Follows at one api process what was sent to the other, while two workers share the work; then kills any of the four. */
export async function workAsTwo(hub: ClusterHub, context: ProofContext, pair: SecondPair): Promise<void> {
  const client = await HubClient.asGuest(hub.stack.url);
  await checkTwoWorkers(hub, context, pair);
  await checkLiveEvents(context, client, client.at(pair.url));
  await killAnyOfThem(hub, context, client, pair);
  await checkOwners(hub, context);
}

/** What the task queue knows of who asked it for activities lately. */
async function checkTwoWorkers(hub: ClusterHub, { claim }: ProofContext, pair: SecondPair): Promise<void> {
  const connection = await Connection.connect({ address: hub.stack.temporalAddress });
  const askers = async () => {
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace: temporalNamespace,
      taskQueue: { name: HUB_TASK_QUEUE },
      taskQueueType: activityTasks,
    });
    const pids = new Set((pollers ?? []).map(({ identity }) => Number.parseInt(identity ?? '', 10)));
    return [hub.stack.processes.worker, pair.worker.pid].filter((pid) => pid !== undefined && pids.has(pid));
  };
  try {
    let asking = await askers();
    for (let attempt = 0; asking.length < 2 && attempt < 100; attempt += 1) {
      await sleep(100);
      asking = await askers();
    }
    claim('both workers take tasks', asking.length === 2, asking.join(' '));
  } finally {
    await connection.close();
  }
}

/** A request that is sent to one api process is followed at the other, to its end. */
async function checkLiveEvents({ claim }: ProofContext, client: HubClient, reader: HubClient): Promise<void> {
  // So many rows that a warm instance, too, computes for longer than it takes to begin to listen.
  const { id } = await client.submitEntries('good-counter', chains(3000), false);
  const closed = new AbortController();
  const limit = AbortSignal.timeout(finishWithinMs);
  const response = await reader.fetch(`/api/work-requests/${id}/events`, {
    signal: AbortSignal.any([closed.signal, limit]),
  });
  const heard: string[] = [];
  for await (const { event, data } of readEventStream(response.body!.pipeThrough(new TextDecoderStream()))) {
    heard.push(event);
    const isOver = event === 'snapshot' && (JSON.parse(data) as SnapshotData).request_status === 'COMPLETED';
    if (isOver || event === 'completed') break;
  }
  closed.abort();
  claim('events come live from the other api process', heard.length > 1, heard.join(' '));
}

interface SnapshotData {
  readonly request_status: string;
}

async function killAnyOfThem(
  hub: ClusterHub,
  context: ProofContext,
  client: HubClient,
  pair: SecondPair,
): Promise<void> {
  const { say } = context;
  const random = seededRandom(context.seed);
  const expectations = await learnExpectations(client);
  const [firstTerm] = await readTerms(hub);
  const loads = [client, client.at(pair.url)].map((at) => new SteadyLoad(at, 1, () => nextOnCluster(random)));
  await killOneByOne(hub, context, pair, random);
  const lastKillMs = Date.now();
  for (const load of loads) await load.stop();
  await claimAllFinish(hub, context, 'all finish within 60 s of the last kill', {
    sinceMs: lastKillMs,
    withinMs: finishWithinMs,
  });
  const [lastTerm] = await readTerms(hub);
  say('terms of leading since the first kill', (lastTerm?.fence ?? 0) - (firstTerm?.fence ?? 0));
  const accepted = loads.flatMap((load) => load.accepted);
  await checkRequests(hub, client, accepted, expectations, context);
}

async function killOneByOne(
  hub: ClusterHub,
  { small, say }: ProofContext,
  pair: SecondPair,
  random: () => number,
): Promise<void> {
  const killed = new Map<string, number>();
  for (let round = 0; round < kills[small ? 'small' : 'full']; round += 1) {
    await sleep(500 + random() * (small ? 1000 : 6000));
    // In the small version each is killed once.
    const chosen = small ? round : Math.floor(random() * 4);
    const [name, pid] = targetsOf(hub, pair)[chosen]!;
    if (pid === undefined) continue;
    sendSignal(pid, 'SIGKILL');
    killed.set(name, (killed.get(name) ?? 0) + 1);
  }
  say('kills', [...killed].map(([name, count]) => `${count} of ${name}`).join(', '));
}

function targetsOf(
  { stack }: ClusterHub,
  { worker, api }: SecondPair,
): readonly (readonly [string, number | undefined])[] {
  return [
    ['the first worker', stack.processes.worker],
    ['the second worker', worker.pid],
    ['the first api', stack.processes.api],
    ['the second api', api.pid],
  ];
}

async function readTerms(hub: ClusterHub): Promise<{ fence: number }[]> {
  return hub.rows(`select fence::int from leader`);
}
