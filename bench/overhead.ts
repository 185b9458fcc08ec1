import { setTimeout as sleep } from 'node:timers/promises';
import { type Proof, type ProofContext, percentile } from '../prove/proof.js';
import { followRequest } from './follow-request.js';
import { CpuMeter, describeCpu } from './process-cpu.js';
import { type ClientTimes, describePhases, showTable } from './request-phases.js';
import { ENTRIES, MODEL, withWarmHub, type WarmHub } from './warm-hub.js';

/** Submit to readable, less the model's time, ms. */
const GOAL_MS = { p50: 100, p99: 400 };
const FLOOR_MS = { p50: 500, p99: 2_000 };
/** A sixth of what the hub should sustain: requests seldom meet. */
const MODERATE_PER_SECOND = 10;
const MODERATE_PER_SECOND_SMALL = 4;

/** What the hub itself costs a request whose instance is warm. */
export const overhead: Proof = {
  name: 'overhead',
  title: `from submit to readable without the model's time, ${ENTRIES.length} rows to a warm ${MODEL}`,
  run: (context) => withWarmHub((warm) => measureOverhead(context, warm)),
};

/** Measures one request at a time, and requests that seldom meet, on a hub that is warm. */
export async function measureOverhead(context: ProofContext, warm: WarmHub): Promise<void> {
  const requests = context.small ? 40 : 300;
  const perSecond = context.small ? MODERATE_PER_SECOND_SMALL : MODERATE_PER_SECOND;
  context.say("the model's own time, subtracted", `${warm.modelMs.toFixed(1)} ms, median of direct calls`);
  await measure(context, warm, `${requests} requests one at a time`, async () => {
    const times: ClientTimes[] = [];
    for (let request = 0; request < requests; request += 1) times.push(await followRequest(warm));
    return times;
  });
  await measure(context, warm, `${requests} requests at ${perSecond} per second`, async () => {
    const sent: Promise<ClientTimes>[] = [];
    const startedAt = performance.now();
    for (let request = 0; request < requests; request += 1) {
      await sleep(Math.max(0, startedAt + (request * 1000) / perSecond - performance.now()));
      sent.push(followRequest(warm));
    }
    return Promise.all(sent);
  });
}

async function measure(
  { say, claim }: ProofContext,
  { hub, modelMs }: WarmHub,
  title: string,
  work: () => Promise<ClientTimes[]>,
): Promise<void> {
  const cpu = new CpuMeter(hub.stack);
  const times = await work();
  const used = cpu.read();
  const own = times.map(({ sentAt, readAt }) => readAt - sentAt - modelMs);
  const seen = { p50: percentile(own, 0.5), p99: percentile(own, 0.99) };
  say(title, `${(times.length / used.seconds).toFixed(1)} per second`);
  for (const name of ['p50', 'p99'] as const) {
    const inMs = `${seen[name].toFixed(0)} ms`;
    claim(`${title}: ${name} at most ${FLOOR_MS[name]} ms`, seen[name] <= FLOOR_MS[name], inMs);
    say(
      `goal ${name} ${GOAL_MS[name]} ms`,
      `${seen[name] <= GOAL_MS[name] ? 'reached' : 'MISSED'} (${inMs})`,
    );
  }
  say('CPU', describeCpu(used, times.length));
  showTable(say, 'where the time goes, ms', await describePhases(hub, times));
}
