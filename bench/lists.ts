import { InstanceFilter } from '../api/instances/instances.dto.js';
import { InstancesService } from '../api/instances/instances.service.js';
import { instancesStatement } from '../api/instances/instances-statement.js';
import type { Database } from '../db/database.js';
import { averagesStatement } from '../db/queries/usage.js';
import { percentile, type Proof, type ProofContext } from '../prove/proof.js';
import { openTestDatabase } from '../test/support/open-test-database.js';
import { startTestPostgres } from '../test/support/test-postgres.js';
import { liveOf, writeInstanceHistory } from './instance-history.js';

/** A page in the database, p99, ms. */
const GOAL_MS = 5;
const FLOOR_MS = 20;
/**
 * Blocks of the database that a page may touch, however long the history is: those of what it shows, and of the
 * instances that have not ended, which are the newest and may have to be passed.
 */
const mostBlocks = (count: number) => liveOf(count) + 1_500;

/** What operators ask for, of a history of thirty days. */
function questions(count: number): Readonly<Record<string, Record<string, unknown>>> {
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  const someone = Math.ceil(count / 2);
  return {
    'everything, newest first': {},
    running: { not_states: 'TERMINATED' },
    'in one state': { states: 'INITIALIZING' },
    'in two states': { states: ['ACTIVE', 'INITIALIZING'] },
    ended: { states: 'TERMINATED' },
    'of a model that is much used': { model_id: 'eos-list0' },
    'of a model that is little used': { model_id: 'eos-list49' },
    'running, of one model': { not_states: 'TERMINATED', model_id: 'eos-list49' },
    'by id': { instance_id: `instance-${String(someone).padStart(8, '0')}` },
    'of one request': { work_request_id: String(someone) },
    'begun in an hour two weeks ago': { start_from: daysAgo(14), start_to: daysAgo(14 - 1 / 24) },
    'begun before two weeks ago': { start_to: daysAgo(14) },
    'begun since two weeks ago': { start_from: daysAgo(14) },
    'with a pod that waits': { pod_status: 'Pending' },
    'with a pod that failed': { pod_status: 'Failed' },
    'with a pod in a phase that none is in': { pod_status: 'Unknown' },
    'with a pod that waits or failed': { pod_status: ['Pending', 'Failed'] },
  };
}

const figures = {
  'figures of running instances': { active: true, ended: false },
  'figures of ended instances': { active: false, ended: true },
  'figures of running and ended instances': { active: true, ended: true },
  'figures of the ended ones of a model': { active: false, ended: true, modelId: 'eos-list49' },
};

type Statement = ReturnType<typeof instancesStatement>;

/** The list of instances over a long history, page by page: each is as quick as the first. */
export const lists: Proof = {
  name: 'lists',
  title: 'pages of the list of instances over a history of thirty days',
  async run(context) {
    const postgres = process.env.HUB_TEST_POSTGRES ? null : await startTestPostgres();
    if (postgres) process.env.HUB_TEST_POSTGRES = postgres.adminUrl;
    const database = await openTestDatabase();
    try {
      await measureLists(context, database);
    } finally {
      await database.close();
      await postgres?.stop();
    }
  },
};

async function measureLists(context: ProofContext, database: Database): Promise<void> {
  const count = context.small ? 20_000 : 1_000_000;
  const beganAt = performance.now();
  await writeInstanceHistory(database, count);
  context.say('instances', `${count}, written in ${((performance.now() - beganAt) / 1000).toFixed(0)} s`);
  const service = new InstancesService(database);
  for (const [words, query] of Object.entries(questions(count))) {
    const filter = InstanceFilter.parse(query);
    const first = await service.list(filter);
    await measurePage(context, { database, count }, words, instancesStatement(filter));
    if (first.next_cursor === null) continue;
    const next = instancesStatement({ ...filter, cursor: first.next_cursor });
    await measurePage(context, { database, count }, `${words}, the next page`, next);
  }
  for (const [words, filter] of Object.entries(figures))
    await measurePage(context, { database, count }, words, averagesStatement({ ...filter, limit: 100 }));
  await measureWhole(context, service);
}

async function measurePage(
  { small, say, claim }: ProofContext,
  { database, count }: { readonly database: Database; readonly count: number },
  words: string,
  statement: Statement,
): Promise<void> {
  const times: number[] = [];
  let cost: PageCost = { ms: 0, blocks: 0, rows: 0 };
  for (let run = 0; run < (small ? 1 : 12); run += 1) {
    cost = await costOf(database, statement);
    times.push(cost.ms);
  }
  const p99 = percentile(times.slice(small ? 0 : 2), 0.99);
  const seen = `${p99.toFixed(1)} ms, ${cost.blocks} blocks, ${cost.rows} rows`;
  const most = mostBlocks(count);
  claim(`${words}: at most ${most} blocks`, cost.blocks <= most, seen);
  if (small) return;
  claim(`${words}: at most ${FLOOR_MS} ms`, p99 <= FLOOR_MS);
  if (p99 > GOAL_MS) say(`goal ${GOAL_MS} ms`, 'MISSED');
}

interface PageCost {
  readonly ms: number;
  readonly blocks: number;
  readonly rows: number;
}

async function costOf(database: Database, { text, params }: Statement): Promise<PageCost> {
  const [row] = await database.rows<{ 'QUERY PLAN': [ExplainedPlan] }>(
    `explain (analyze, buffers, timing off, format json) ${text}`,
    params,
  );
  const [plan] = row!['QUERY PLAN'];
  return {
    ms: plan['Execution Time'],
    blocks: plan.Plan['Shared Hit Blocks'] + plan.Plan['Shared Read Blocks'],
    rows: plan.Plan['Actual Rows'],
  };
}

interface ExplainedPlan {
  readonly 'Execution Time': number;
  readonly Plan: {
    readonly 'Shared Hit Blocks': number;
    readonly 'Shared Read Blocks': number;
    readonly 'Actual Rows': number;
  };
}

/** With leases, requests, last events and figures: as the api answers. */
async function measureWhole({ small, say }: ProofContext, service: InstancesService): Promise<void> {
  const times: number[] = [];
  for (let run = 0; run < (small ? 3 : 50); run += 1) {
    const startedAt = performance.now();
    await service.list(InstanceFilter.parse({}));
    times.push(performance.now() - startedAt);
  }
  const inMs = (share: number) => `${percentile(times, share).toFixed(1)} ms`;
  say('a page of 100 with all that belongs to it', `p50 ${inMs(0.5)}, p99 ${inMs(0.99)}`);
}
