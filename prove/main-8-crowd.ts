import { HubClient } from '../test/support/hub-client.js';
import { untilNoneOpen } from './check-requests.js';
import { longestPause, mostAtOnce } from './count-overlaps.js';
import { claimLimits } from './instance-limits.js';
import { type ProofHub, startProofHub } from './proof-hub.js';
import { type Proof, type ProofContext, percentile, seededRandom } from './proof.js';
import {
  type Expectation,
  firstDifference,
  learnReference,
  molecules,
  readTable,
  unlikePublished,
} from './reference.js';

const MODELS = ['eos-physchem', 'eos-solubility', 'eos-morgan'] as const;
const MOST_INSTANCES = 4;
const MOST_OF_A_MODEL = 2;
/** Twice the patience after which a model's claim takes an idle instance's place, and an instance's start. */
const LONGEST_PAUSE_SECONDS = 30;
const MOST_UNFAIR = 2;
const READ_AT_ONCE = 8;

/** Many at once for few places: the limits hold at every moment, and everybody is served. */
export const crowd: Proof = {
  name: 'main-8',
  title: '500 requests at once over three models, two instances each and four in all',
  async run(context) {
    const hub = await startProofHub({
      models: [],
      warmSeconds: 60,
      environment: { MAX_CONCURRENT_MODEL_INSTANCES: String(MOST_INSTANCES) },
    });
    try {
      await hub.rows('update model set max_instances = $1', [MOST_OF_A_MODEL]);
      await proveCrowd(context, hub);
    } finally {
      await hub.stop();
    }
  },
};

interface Sent {
  readonly client: HubClient;
  readonly id: number;
  readonly modelId: string;
  readonly entries: readonly string[];
}

async function proveCrowd(context: ProofContext, hub: ProofHub): Promise<void> {
  const { small, say, claim } = context;
  const users = await Promise.all(
    Array.from({ length: small ? 6 : 20 }, () => HubClient.asGuest(hub.stack.url)),
  );
  // A guest apart: whoever used instances before the crowd came would rightly have to wait longer.
  const forerunner = await HubClient.asGuest(hub.stack.url);
  const expected = new Map<string, Expectation>();
  for (const modelId of MODELS) expected.set(modelId, await learnReference(forerunner, modelId));
  claim(
    'undisturbed, eos-physchem answers as published',
    unlikePublished(expected.get('eos-physchem')!).length === 0,
  );

  const startedAt = Date.now();
  const sent = await sendAll(context, users, small ? 60 : 500);
  say('accepted', `${sent.length} requests of ${users.length} users in ${Date.now() - startedAt} ms`);
  const tookMs = await untilNoneOpen(hub, startedAt, 900_000);
  claim('every request ends', tookMs !== null, tookMs === null ? 'some are open' : `${tookMs / 1000} s`);
  if (tookMs !== null) say('requests per second', (sent.length / (tookMs / 1000)).toFixed(1));

  await claimLimits(context, hub, { models: MODELS, ofOne: MOST_OF_A_MODEL, inAll: MOST_INSTANCES });
  await claimFairness(context, hub, new Set(sent.map(({ id }) => id)));
  await claimLeases(context, hub, sent.length);
  const wrong = await findWrong(sent, expected);
  claim('every result is right', wrong.length === 0, wrong[0] ?? `${sent.length} results`);
}

/** Every user asks for every model, for one to four molecules; all at the same time. */
async function sendAll({ seed }: ProofContext, users: readonly HubClient[], count: number): Promise<Sent[]> {
  const random = seededRandom(seed);
  const pick = (most: number) => Math.floor(random() * most);
  const planned = Array.from({ length: count }, (_, index) => ({
    client: users[index % users.length]!,
    modelId: MODELS[pick(MODELS.length)]!,
    entries: Array.from({ length: 1 + pick(4) }, () => molecules[pick(molecules.length)]!),
  }));
  return Promise.all(
    planned.map(async (plan) => {
      const { id } = await plan.client.submitEntries(plan.modelId, plan.entries, false);
      return { ...plan, id };
    }),
  );
}

interface Wait {
  readonly request_id: number;
  readonly user_id: string;
  readonly model_id: string;
  readonly start: number;
  readonly end: number;
}

async function claimFairness(
  { say, claim }: ProofContext,
  hub: ProofHub,
  own: ReadonlySet<number>,
): Promise<void> {
  const all = await hub.rows<Wait>(
    `select r.id::int as request_id, r.user_id, r.model_id, extract(epoch from r.created_at)::float8 as start,
       extract(epoch from min(l.granted_at))::float8 as end
     from work_request r join instance_lease l on l.request_id = r.id where l.granted_at is not null group by r.id`,
  );
  const waits = all.filter(({ request_id }) => own.has(request_id));
  claim('every request was granted an instance', waits.length === own.size, waits.length);
  const seconds = waits.map(({ start, end }) => end - start);
  say(
    'waited, p50, p99 and longest',
    [percentile(seconds, 0.5), percentile(seconds, 0.99), Math.max(...seconds)].map(inSeconds).join(', '),
  );
  const byModel = groupMeans(waits, ({ model_id }) => model_id);
  const byUser = groupMeans(waits, ({ user_id }) => user_id);
  for (const [modelId, mean] of byModel) say(`mean wait for ${modelId}`, inSeconds(mean));
  say('longest mean wait of a model by the shortest', ratioOf(byModel).toFixed(2));
  say('longest mean wait of a user by the shortest', ratioOf(byUser).toFixed(2));
  for (const modelId of MODELS) {
    const pause = longestPause(waits.filter(({ model_id }) => model_id === modelId));
    claim(
      `nobody is left waiting for ${modelId}`,
      pause <= LONGEST_PAUSE_SECONDS,
      `at most ${inSeconds(pause)}`,
    );
  }
  claim(
    `no user waits ${MOST_UNFAIR} times as long as another`,
    ratioOf(byUser) < MOST_UNFAIR,
    ratioOf(byUser).toFixed(2),
  );
}

const inSeconds = (seconds: number) => `${seconds.toFixed(1)} s`;

function groupMeans(waits: readonly Wait[], keyOf: (wait: Wait) => string): Map<string, number> {
  const groups = Map.groupBy(waits, keyOf);
  return new Map(
    [...groups].map(([key, group]) => [
      key,
      group.reduce((sum, { start, end }) => sum + end - start, 0) / group.length,
    ]),
  );
}

function ratioOf(means: ReadonlyMap<string, number>): number {
  const values = [...means.values()];
  return Math.max(...values) / Math.min(...values);
}

async function claimLeases({ claim }: ProofContext, hub: ProofHub, requests: number): Promise<void> {
  const leases = await hub.rows<{ instance_id: string; state: string; start: number; end: number | null }>(
    `select instance_id, state, extract(epoch from granted_at)::float8 as start,
       extract(epoch from released_at)::float8 as end from instance_lease`,
  );
  const held = leases.filter(({ state }) => state !== 'RELEASED').length;
  claim(
    'every lease is released',
    held === 0 && leases.length >= requests,
    `${leases.length} leases, ${held} held`,
  );
  const shared = [...Map.groupBy(leases, ({ instance_id }) => instance_id).values()].filter(
    (ofOne) => mostAtOnce(ofOne) > 1,
  );
  claim('no instance was ever leased twice at once', shared.length === 0);
}

async function findWrong(
  sent: readonly Sent[],
  expected: ReadonlyMap<string, Expectation>,
): Promise<string[]> {
  const queue = [...sent];
  const wrong: string[] = [];
  const readers = Array.from({ length: READ_AT_ONCE }, async () => {
    for (let request = queue.pop(); request; request = queue.pop()) {
      const { client, id, modelId, entries } = request;
      const difference = firstDifference(await readTable(client, id), entries, expected.get(modelId)!);
      if (difference !== null) wrong.push(`request ${id}: ${difference}`);
    }
  });
  await Promise.all(readers);
  return wrong;
}
