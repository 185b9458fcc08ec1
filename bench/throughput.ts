import { setTimeout as sleep } from 'node:timers/promises';
import { type Proof, type ProofContext, percentile } from '../prove/proof.js';
import { HubClient } from '../test/support/hub-client.js';
import { CompletionWatch } from './completion-watch.js';
import { CpuMeter, describeCpu } from './process-cpu.js';
import { type ClientTimes, describePhases, showTable } from './request-phases.js';
import { ENTRIES, MODEL, withWarmHub, type WarmHub } from './warm-hub.js';

const GOAL_PER_SECOND = 60;
const FLOOR_PER_SECOND = 20;
const USERS = 10;
/** Enough to keep every part busy, few enough that a request's time still says something. */
const IN_FLIGHT = 30;
const DRAIN_MS = 120_000;

const epochNow = () => performance.timeOrigin + performance.now();

/** How many small requests per second the hub finishes, each result read over HTTP. */
export const throughput: Proof = {
  name: 'throughput',
  title: `requests of ${ENTRIES.length} rows to a warm ${MODEL} per second, of ${USERS} users`,
  run: (context) => withWarmHub((warm) => measureThroughput(context, warm)),
};

/** Sends requests and waits for each, its client's part included. */
class Load {
  readonly done: ClientTimes[] = [];
  readonly wrong: string[] = [];

  constructor(
    private readonly warm: WarmHub,
    private readonly users: readonly HubClient[],
    private readonly watch: CompletionWatch,
  ) {}

  async request(number: number): Promise<void> {
    const client = this.users[number % this.users.length]!;
    const sentAt = epochNow();
    try {
      const { id } = await client.submitEntries(MODEL, ENTRIES, false);
      const answeredAt = epochNow();
      await this.watch.untilFinished(id);
      const toldAt = epochNow();
      const text = await (await client.download(id)).text();
      if (text !== this.warm.expected) this.wrong.push(`request ${id}: ${text}`);
      this.done.push({ id, sentAt, answeredAt, toldAt, readAt: epochNow() });
    } catch (error) {
      this.wrong.push((error as Error).message);
    }
  }
}

/** Measures what a warm hub finishes while many requests are under way. */
export async function measureThroughput(context: ProofContext, warm: WarmHub): Promise<void> {
  const { small, claim, say } = context;
  const seconds = small ? 8 : 60;
  const users = await Promise.all(Array.from({ length: USERS }, () => HubClient.asGuest(warm.hub.stack.url)));
  const watch = await CompletionWatch.open(warm.hub.stack.databaseUrl);
  const run = (title: string, work: (load: Load) => Promise<void>) =>
    measure(context, warm, new Load(warm, users, watch), title, work);
  try {
    const inFlight = small ? USERS : IN_FLIGHT;
    const best = await run(`${inFlight} always in flight`, (load) => keepInFlight(load, inFlight, seconds));
    const seen = `${best.toFixed(1)} per second`;
    // Beside other tests a few seconds say that it works, not how fast.
    if (!small) claim(`at least ${FLOOR_PER_SECOND} per second are finished`, best >= FLOOR_PER_SECOND, seen);
    say(`goal ${GOAL_PER_SECOND} per second`, `${best >= GOAL_PER_SECOND ? 'reached' : 'MISSED'} (${seen})`);
    // Last, because what can't be kept up with is a backlog for whatever follows.
    if (!small)
      await run(`${GOAL_PER_SECOND} sent per second`, (load) => sendSteadily(load, GOAL_PER_SECOND, seconds));
  } finally {
    await watch.close();
  }
}

async function sendSteadily(load: Load, perSecond: number, seconds: number): Promise<void> {
  const sent: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let request = 0; request < perSecond * seconds; request += 1) {
    await sleep(Math.max(0, startedAt + (request * 1000) / perSecond - performance.now()));
    sent.push(load.request(request));
  }
  await Promise.race([Promise.all(sent), sleep(DRAIN_MS, undefined, { ref: false })]);
}

async function keepInFlight(load: Load, count: number, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000;
  let next = 0;
  const runners = Array.from({ length: count }, async () => {
    while (performance.now() < until) await load.request((next += 1));
  });
  await Promise.race([Promise.all(runners), sleep(seconds * 1000 + DRAIN_MS, undefined, { ref: false })]);
}

/** @returns finished requests per second, from the first submission to the last result */
async function measure(
  { say, claim }: ProofContext,
  { hub }: WarmHub,
  load: Load,
  title: string,
  work: (load: Load) => Promise<void>,
): Promise<number> {
  const cpu = new CpuMeter(hub.stack);
  await work(load);
  const used = cpu.read();
  const perSecond = load.done.length / used.seconds;
  const took = load.done.map(({ sentAt, readAt }) => readAt - sentAt);
  say(
    title,
    `${perSecond.toFixed(1)} finished per second, ${load.done.length} in ${used.seconds.toFixed(1)} s`,
  );
  say(
    'submit to readable, p50 and p99',
    `${percentile(took, 0.5).toFixed(0)} and ${percentile(took, 0.99).toFixed(0)} ms`,
  );
  claim(`${title}: every result is right`, load.wrong.length === 0 && load.done.length > 0, load.wrong[0]);
  say('CPU', describeCpu(used, load.done.length));
  showTable(say, 'where the time goes, ms', await describePhases(hub, load.done));
  return perSecond;
}
