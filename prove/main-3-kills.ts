import { setTimeout as sleep } from 'node:timers/promises';
import { HubClient } from '../test/support/hub-client.js';
import { checkQuietAndStop, mostPlacesAtOnce } from './check-quiet.js';
import { checkRequests, claimAllFinish } from './check-requests.js';
import { kill, killTargets, type KillTarget } from './kill-targets.js';
import { percentile, type Proof, type ProofContext, seededRandom } from './proof.js';
import { type ProofHub, startProofHub } from './proof-hub.js';
import { expectedOfCounter, learnReference, molecules, unlikePublished } from './reference.js';
import { chains, SteadyLoad, type Submission } from './steady-load.js';

const requestsPerSecond = 5;
/** Room for every model of the load at once: what is shown here is not how models share a full hub. */
const mostInstances = 12;
const finishWithinMs = 60_000;
const recoveryGoalSeconds = 12;
/** What ends this soon after a kill was on its way already. */
const lastBreathSeconds = 0.1;

/** Everything that can be killed, killed with -9 under load: nothing is lost, doubled, wrong or left over. */
export const main3Kills: Proof = {
  name: 'main-3',
  title: 'kill -9 of every process under 5 requests per second',
  async run(context) {
    const hub = await startProofHub({
      models: [
        { id: 'good-counter', env: { MODE: 'good', ROW_DELAY_MS: '0.3' } },
        { id: 'good-async', env: { MODE: 'good', ROW_DELAY_MS: '1' }, executionMode: 'ASYNC' },
      ],
      environment: { MAX_CONCURRENT_MODEL_INSTANCES: String(mostInstances) },
    });
    try {
      await killUnderLoad(hub, context);
    } finally {
      await hub.stop();
    }
  },
};

async function killUnderLoad(hub: ProofHub, context: ProofContext): Promise<void> {
  const { claim, say, seed } = context;
  const client = await HubClient.asGuest(hub.stack.url);
  const physchem = await learnReference(client, 'eos-physchem');
  const morgan = await learnReference(client, 'eos-morgan');
  const unlike = unlikePublished(physchem);
  claim('the undisturbed hub gives the published values', unlike.length === 0, unlike.join(' '));

  const random = seededRandom(seed);
  const load = new SteadyLoad(client, requestsPerSecond, () => nextSubmission(random));
  const kills = await killInTurnAndAtRandom(hub, context, random);
  const lastKill = Math.max(...kills.map(({ atMs }) => atMs));
  await load.stop();
  say('kills', kills.length);
  await claimAllFinish(hub, context, 'all finish within 60 s of the last kill', {
    sinceMs: lastKill,
    withinMs: finishWithinMs,
  });
  say('refused', [...load.refused].map(([words, count]) => `${words}: ${count}`).join(', ') || 'none');
  const tookMs = load.accepted.map((request) => request.tookMs);
  say(
    'accepted in, ms',
    `p50 ${percentile(tookMs, 0.5).toFixed(0)}, p99 ${percentile(tookMs, 0.99).toFixed(0)}`,
  );
  await reportRecoveries(hub, context, kills);
  const expectations = {
    'eos-physchem': physchem,
    'eos-morgan': morgan,
    'good-counter': expectedOfCounter,
    'good-async': expectedOfCounter,
  };
  await checkRequests(hub, client, load.accepted, expectations, context);
  await reportRepeats(hub, context);
  const most = await mostPlacesAtOnce(hub);
  claim(`never more than ${mostInstances} places`, most <= mostInstances, most);
  await checkQuietAndStop(hub, context);
}

/** Mostly 1 to 30 molecules for a real model, some of them none; now and then several shards. */
function nextSubmission(random: () => number): Submission {
  const kind = random();
  if (kind < 0.04) return { modelId: 'good-counter', entries: chains(1200 + Math.floor(random() * 1800)) };
  if (kind < 0.12) return { modelId: 'good-async', entries: chains(1 + Math.floor(random() * 300)) };
  const modelId = kind < 0.25 ? 'eos-morgan' : 'eos-physchem';
  const most = modelId === 'eos-morgan' ? 3 : 30;
  const entries = Array.from({ length: 1 + Math.floor(random() * most) }, () =>
    random() < 0.03 ? 'not a molecule' : molecules[Math.floor(random() * molecules.length)]!,
  );
  return { modelId, entries };
}

interface Kill {
  readonly target: KillTarget;
  readonly atMs: number;
  /** True when the hub had time to recover from the one before. */
  readonly inTurn: boolean;
}

/** Each in turn, at full size with time to recover; then any of them at any moment. */
async function killInTurnAndAtRandom(
  hub: ProofHub,
  { small }: ProofContext,
  random: () => number,
): Promise<Kill[]> {
  const kills: Kill[] = [];
  const strike = async (target: KillTarget, inTurn: boolean) => {
    const atMs = await kill(hub, target, random);
    if (atMs !== null) kills.push({ target, atMs, inTurn });
    return atMs ?? Date.now();
  };
  await sleep(2000);
  for (let round = 0; round < (small ? 1 : 3); round += 1)
    for (const target of killTargets) {
      const atMs = await strike(target, true);
      await sleep(small ? 3500 : 1000);
      if (!small) await untilRecovered(hub, atMs);
    }
  for (let struck = 0; struck < (small ? 0 : 20); struck += 1) {
    await strike(killTargets[Math.floor(random() * killTargets.length)]!, false);
    await sleep(500 + random() * 4500);
  }
  if (!small) await untilRecovered(hub, kills.at(-1)!.atMs);
  return kills;
}

/** Waits until a request that was accepted after the kill has ended and the queue is short again; 20 s at most. */
async function untilRecovered(hub: ProofHub, atMs: number): Promise<void> {
  while (Date.now() - atMs < 20_000) {
    const asked = hub.rows<{ ended: number; open: number }>(
      `select count(*) filter (where created_at > to_timestamp($1) and processed_at is not null)::int as ended,
         count(*) filter (where processed_at is null)::int as open from work_request`,
      [atMs / 1000],
    );
    const seen = await asked.then(
      ([row]) => row,
      () => undefined,
    );
    if (seen && seen.ended > 0 && seen.open <= 2 * requestsPerSecond) return;
    await sleep(250);
  }
}

/** From each kill to the next sign of progress, and to the first end of a request that was accepted after it. */
async function reportRecoveries(
  hub: ProofHub,
  { say, claim, small }: ProofContext,
  kills: readonly Kill[],
): Promise<void> {
  const requests = await hub.rows<{ accepted: number; ended: number }>(
    `select extract(epoch from created_at)::float8 as accepted, extract(epoch from processed_at)::float8 as ended
       from work_request where processed_at is not null`,
  );
  const recoveries = kills.map(({ target, atMs, inTurn }) => {
    const at = atMs / 1000;
    const later = requests.filter(({ accepted }) => accepted > at);
    const signs =
      target === 'api' ? later.map(({ accepted }) => accepted) : requests.map(({ ended }) => ended);
    const progress = Math.min(...signs.filter((sign) => sign > at + lastBreathSeconds)) - at;
    return { target, inTurn, progress, served: Math.min(...later.map(({ ended }) => ended)) - at };
  });
  const figures = (seconds: readonly number[]) => {
    const known = seconds.filter(Number.isFinite);
    if (known.length === 0) return 'not seen before the load ended';
    return `p50 ${percentile(known, 0.5).toFixed(1)} s, max ${Math.max(...known).toFixed(1)} s`;
  };
  for (const target of [...killTargets, undefined]) {
    const own = recoveries.filter((each) => (each.inTurn ? each.target : undefined) === target);
    if (own.length === 0) continue;
    say(
      `progress after ${target ?? 'overlapping kills'} (${own.length})`,
      figures(own.map((each) => each.progress)),
    );
    say(`  a later request served`, figures(own.map(({ served }) => served)));
  }
  // In the small version a kill follows before the hub has recovered from the one before.
  if (small) return;
  const longest = Math.max(...recoveries.filter(({ inTurn }) => inTurn).map(({ progress }) => progress));
  claim(
    `work goes on within ${recoveryGoalSeconds} s of a single kill`,
    longest <= recoveryGoalSeconds,
    `${longest.toFixed(1)} s`,
  );
}

/** Calls are at least once: what was done twice is said. */
async function reportRepeats(hub: ProofHub, { say }: ProofContext): Promise<void> {
  const [shards] = await hub.rows<{ shards: number; attempts: number }>(
    `select count(*)::int as shards, sum(attempt)::int as attempts from work_request_shard`,
  );
  say('shards, and how often they were taken', `${shards!.shards}, ${shards!.attempts}`);
}
