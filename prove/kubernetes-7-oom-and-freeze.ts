import { setTimeout as sleep } from 'node:timers/promises';
import { podNameOf } from '../hosts/kubernetes/pod-name.js';
import { sendSignal } from '../hosts/local/proc-files.js';
import { HubClient } from '../test/support/hub-client.js';
import { checkOwners } from './check-owners.js';
import { checkQuietAndStop } from './check-quiet.js';
import { checkRequests, untilNoneOpen } from './check-requests.js';
import { type ClusterHub, startClusterHub } from './cluster-hub.js';
import { FurtherProcess } from './further-process.js';
import type { Proof, ProofContext } from './proof.js';
import type { TestModel } from './proof-hub.js';
import { expectedOfCounter } from './reference.js';
import { type AcceptedRequest, chains, SteadyLoad, submitOne } from './steady-load.js';

const freezeMs = { full: 60_000, small: 12_000 };
const anotherLeadsWithinMs = 10_000;
const finishWithinMs = 60_000;
const lookEveryMs = 50;
/** What a thawed worker had in hand is written in this time, if it ever is. */
const settleMs = 3000;
const rowsPerShard = 1000;

export const oomAndFreezeModels: readonly TestModel[] = [
  // Two seconds a shard: the second still computes when it is seen that the first is stored.
  { id: 'killed-for-memory', env: { MODE: 'good', ROW_DELAY_MS: '2' }, maxInstances: 1 },
  { id: 'good-counter', env: { MODE: 'good', ROW_DELAY_MS: '0.5' } },
];
/** So short that instances end and begin while the leader is frozen. */
const oomAndFreezeWarmSeconds = 1;

/** What a cluster does to a server that takes too much memory, and what becomes of a leader that wakes up too late. */
export const oomAndFreeze: Proof = {
  name: 'kubernetes-7',
  title: 'a pod killed for its memory heals its request; a leader frozen for long is replaced and refused',
  async run(context) {
    const hub = await startClusterHub({ models: oomAndFreezeModels, warmSeconds: oomAndFreezeWarmSeconds });
    let second: FurtherProcess | undefined;
    try {
      await killForMemory(hub, context);
      second = await FurtherProcess.start('temporal/worker.main.js', hub.environment);
      await freezeLeader(hub, context);
      await second.stop();
      await checkQuietAndStop(hub, context);
    } finally {
      await second?.stop();
      await hub.stop();
    }
  },
};

/** The cluster says OOMKilled of a pod that computes the second of two shards. */
export async function killForMemory(hub: ClusterHub, context: ProofContext): Promise<void> {
  const { claim } = context;
  const client = await HubClient.asGuest(hub.stack.url);
  const submission = { modelId: 'killed-for-memory', entries: chains(2 * rowsPerShard) };
  const accepted = await submitOne(client, submission);
  const pod = await within(finishWithinMs, () => podAfterFirstShard(hub, accepted));
  await hub.plane.cluster.setFault(hub.namespace, podNameOf(pod), 'oom');
  await client.untilFinished(accepted.id, finishWithinMs, 50);
  const instances = await hub.rows<{ termination_reason: string | null; mebibytes: number; message: string }>(
    `select i.termination_reason, i.termination_message as message, (i.memory_limit_bytes / 1048576)::int as mebibytes
       from instance_lease l join model_instance i on i.id = l.instance_id
      where l.request_id = $1 order by l.granted_at`,
    [accepted.id],
  );
  const [first, next] = instances;
  claim('the pod was killed for its memory', first?.termination_reason === 'OOMKILLED', first?.message);
  const sizes = instances.map(({ mebibytes }) => `${mebibytes} MiB`).join(', ');
  claim(
    'the same request went on with twice the memory',
    instances.length === 2 && next!.mebibytes === 2 * first!.mebibytes,
    sizes,
  );
  const shards = hub.calls(submission.modelId).map(({ rows }) => rows[0]!);
  const again = shards.length - new Set(shards).size;
  claim('no shard that was finished is computed again', again === 0, `${shards.length} calls were answered`);
  await checkRequests(hub, client, [accepted], { [submission.modelId]: expectedOfCounter }, context);
}

/** The instance that has stored its first shard and computes the next. */
async function podAfterFirstShard(hub: ClusterHub, { id }: AcceptedRequest): Promise<string | undefined> {
  const [lease] = await hub.rows<{ instance_id: string }>(
    `select instance_id from instance_lease where request_id = $1 and state = 'GRANTED' and shards = 1`,
    [id],
  );
  return lease?.instance_id;
}

/** The stack's worker leads; it is stopped for long while both workers compute, and let go again. */
export async function freezeLeader(hub: ClusterHub, context: ProofContext): Promise<void> {
  const { claim, small } = context;
  const client = await HubClient.asGuest(hub.stack.url);
  const load = new SteadyLoad(client, 2, () => ({ modelId: 'good-counter', entries: chains(300) }));
  const long = await startLongOnes(hub, client);
  const before = await readLeader(hub);
  const pid = hub.stack.processes.worker!;
  sendSignal(pid, 'SIGSTOP');
  const frozenAt = Date.now();
  const taken = await within(finishWithinMs, () => anotherLeader(hub, before));
  const tookMs = Date.now() - frozenAt;
  claim('another leads within 10 s', tookMs <= anotherLeadsWithinMs, `${(tookMs / 1000).toFixed(1)} s`);
  await sleep(Math.max(0, frozenAt + freezeMs[small ? 'small' : 'full'] - Date.now()));
  await load.stop();
  const doneAfter = await untilNoneOpen(hub, Date.now(), finishWithinMs);
  claim('all finishes without the frozen one', doneAfter !== null, `${load.accepted.length} requests`);
  await wakeUp(hub, context, { pid, before, taken });
  const accepted = [...long, ...load.accepted];
  await checkRequests(hub, client, accepted, { 'good-counter': expectedOfCounter }, context);
  await checkOwners(hub, context);
}

/** Requests of some seconds each, so many that either worker computes for some of them. */
async function startLongOnes(hub: ClusterHub, client: HubClient): Promise<AcceptedRequest[]> {
  const started: AcceptedRequest[] = [];
  for (let index = 0; index < 4; index += 1)
    started.push(await submitOne(client, { modelId: 'good-counter', entries: chains(3 * rowsPerShard) }));
  const ids = started.map(({ id }) => id);
  await within(finishWithinMs, async () => {
    const [row] = await hub.rows<{ working: number }>(
      `select count(*)::int as working from work_request where id = any($1) and state = 'PROCESSING'`,
      [ids],
    );
    return row!.working === ids.length ? true : undefined;
  });
  return started;
}

/** Whatever the frozen one still had in hand must change nothing of what ended without it. */
async function wakeUp(
  hub: ClusterHub,
  { claim, say }: ProofContext,
  { pid, before, taken }: { pid: number; before: Leader; taken: Leader },
): Promise<void> {
  const ended = await readEnded(hub);
  const printed = hub.stack.output.length;
  sendSignal(pid, 'SIGCONT');
  const thawedAt = Date.now();
  const said = () => hub.stack.output.slice(printed);
  await within(finishWithinMs, async () => said().includes('this worker leads no more') || undefined);
  say('it knows that it leads no more after', `${Date.now() - thawedAt} ms`);
  await sleep(settleMs);
  say('writes of it that were refused by the fence', said().split('its write was refused').length - 1);
  const now = await readEnded(hub);
  const changed = ended.filter((row, index) => row !== now[index]).length;
  claim(
    'it changes nothing of what ended without it',
    changed === 0,
    `${ended.length} rows are as they were`,
  );
  const after = await readLeader(hub);
  claim(
    'it does not lead again',
    after.holder === taken.holder && after.fence === taken.fence,
    `fence ${before.fence}, then ${taken.fence}, then ${after.fence}`,
  );
}

interface Leader {
  readonly holder: string;
  readonly fence: number;
}

async function readLeader(hub: ClusterHub): Promise<Leader> {
  const [leader] = await hub.rows<Leader>(`select holder, fence::int from leader where name = 'hub'`);
  return leader!;
}

async function anotherLeader(hub: ClusterHub, before: Leader): Promise<Leader | undefined> {
  const now = await readLeader(hub);
  return now.holder === before.holder ? undefined : now;
}

/** Requests with their shards and leases, as text; all of them have ended. */
async function readEnded(hub: ClusterHub): Promise<string[]> {
  const rows = await hub.rows<{ row: string }>(
    `select r.id || ' ' || r.version || ' ' || r.state || ' ' || r.rows_done || ' ' || r.attempts || ' '
         || (select string_agg(md5(s.result) || s.attempt, ',' order by s.shard_no) from work_request_shard s
              where s.expires_on = r.expires_on and s.request_id = r.id) || ' '
         || (select string_agg(l.state || l.outcome || l.shards, ',' order by l.lease_token) from instance_lease l
              where l.request_id = r.id) as row
       from work_request r order by r.id`,
  );
  return rows.map(({ row }) => row);
}

/** Asks until there is an answer. @throws Error when there is none in time */
async function within<Found>(ms: number, look: () => Promise<Found | undefined>): Promise<Found> {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`what is waited for did not come in ${ms / 1000} s`);
    await sleep(lookEveryMs);
  }
}
