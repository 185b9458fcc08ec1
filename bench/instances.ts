import { setTimeout as sleep } from 'node:timers/promises';
import { readProcFile } from '../hosts/local/proc-files.js';
import { IdleCluster, nodes } from '../prove/idle-cluster.js';
import { descendantsOf } from '../prove/left-over.js';
import type { Proof, ProofContext } from '../prove/proof.js';
import { CpuMeter } from './process-cpu.js';

const mostCallsPerSecond = 5;
const mostCallsPerSecondAfterRestart = 20;
/** What the hub may use with the most instances of a full run. */
const goal = { cores: 1, gigabytes: 5 };
const figuresEverySeconds = 15;
/** Pools that were not full when the hub had just started; with a thread each there would be one per instance. */
const mostFurtherThreads = 10;
const msPerInstance = 400;
const settleMs = 16_000;
/** Twice the time between two looks at what instances use. */
const stillWithinMs = 30_000;
const secondMs = 1000;

const sizes = {
  full: { counts: [1000, 3000], settleMs, seconds: 60, secondsAfterRestart: 20 },
  small: { counts: [40], settleMs: 0, seconds: 5, secondsAfterRestart: 0 },
} as const;

/** What instances cost that are ready and that nobody uses. */
export const instances: Proof = {
  name: 'instances',
  title: 'instances alive and idle on a real control plane: CPU, memory and calls to the API server',
  async run(context) {
    const size = context.small ? sizes.small : sizes.full;
    const cluster = await IdleCluster.start(Math.max(...size.counts));
    const threadsAtStart = threadsOf(cluster.hub.stack.processes['worker']);
    try {
      for (const count of size.counts) {
        await grow(context, cluster, count);
        await sleep(size.settleMs);
        await measureIdle(context, cluster, count, size.seconds);
        const more = threadsOf(cluster.hub.stack.processes['worker']) - threadsAtStart;
        context.claim(`${count} idle: no threads of the worker are theirs`, more < mostFurtherThreads, more);
        if (count === size.counts[0] && !context.small)
          await restartApiServer(context, cluster, count, size.secondsAfterRestart);
      }
    } finally {
      await cluster.hub.stop();
    }
  },
};

async function grow({ say }: ProofContext, cluster: IdleCluster, count: number): Promise<void> {
  const startedAt = performance.now();
  await cluster.growTo(count, 60_000 + count * msPerInstance);
  say(`${count} instances ready after`, `${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

async function measureIdle(
  { say, claim, small }: ProofContext,
  cluster: IdleCluster,
  count: number,
  seconds: number,
): Promise<void> {
  const { proxy, plane, hub } = cluster;
  await cluster.untilStill(stillWithinMs);
  const before = {
    calls: proxy.requests.length,
    metrics: plane.metrics.requests,
    rows: await cluster.readRowVersions(),
  };
  const meter = new CpuMeter(hub.stack);
  await sleep(seconds * secondMs);
  const cpu = meter.read();
  const calls = proxy.requests.slice(before.calls);
  const { 'this benchmark': own = 0, ...used } = cpu.used;
  const cores = sumOf(used) / cpu.seconds;
  const memory = memoryOf(hub.stack.processes);
  const gigabytes = sumOf(memory) / 1e9;
  const perSecond = calls.length / cpu.seconds;
  say(
    `${count} idle: CPU of one core`,
    describe(used, (one) => `${percent(one / cpu.seconds)} %`),
  );
  say(
    `${count} idle: memory`,
    describe(memory, (one) => `${Math.round(one / 1e6)} MB`),
  );
  say(
    `${count} idle: CPU of the hub by node and instance`,
    `${milli(cores / nodes)} a node, of ${nodes}; ${milli(cores / count)} an instance`,
  );
  say(`${count} idle: others used meanwhile`, `${percent((cpu.others + own) / cpu.seconds)} % of one core`);
  say(`${count} idle: calls`, describeCalls(calls));
  const questions = plane.metrics.requests - before.metrics;
  const passes = Math.ceil(seconds / figuresEverySeconds) + 1;
  claim(
    `${count} idle: figures are read in one question for all pods, one for all nodes, every 15 s`,
    questions <= 2 * passes,
    questions,
  );
  const rewritten = (await cluster.readRowVersions()).filter((version) => !before.rows.includes(version));
  claim(`${count} idle: no row is written while nothing happens`, rewritten.length === 0, rewritten.length);
  const ready = await cluster.countReady();
  claim(`${count} idle: none is lost`, ready === count, ready);
  const limit = `${count} idle: at most ${mostCallsPerSecond} calls to the API server per second`;
  claim(limit, perSecond <= mostCallsPerSecond, perSecond.toFixed(2));
  if (small) return;
  claim(`${count} idle: at most one core`, cores <= goal.cores, cores.toFixed(2));
  claim(`${count} idle: at most 5 GB`, gigabytes <= goal.gigabytes, `${gigabytes.toFixed(2)} GB`);
}

/** The API server goes and comes back with everything in it: nobody storms it, and nobody takes an instance for lost. */
async function restartApiServer(
  { say, claim }: ProofContext,
  cluster: IdleCluster,
  count: number,
  seconds: number,
): Promise<void> {
  const { plane, proxy } = cluster;
  await plane.killApiServer();
  await sleep(secondMs);
  await plane.startApiServer();
  const perSecond: number[] = [];
  const first = proxy.requests.length;
  for (let second = 0; second < seconds; second += 1) {
    const before = proxy.requests.length;
    await sleep(secondMs);
    perSecond.push(proxy.requests.length - before);
  }
  say(`${count} idle, API server restarted: calls`, describeCalls(proxy.requests.slice(first)));
  const peak = Math.max(...perSecond);
  const limit = `${count} idle, API server restarted: at most ${mostCallsPerSecondAfterRestart} calls per second`;
  claim(limit, peak <= mostCallsPerSecondAfterRestart, peak);
  const ready = await cluster.countReady();
  claim(`${count} idle, API server restarted: none is taken for lost`, ready === count, ready);
}

/** Memory of each process of the hub and those below it, bytes; what several share is counted once. */
function memoryOf(processes: Readonly<Record<string, number>>): Record<string, number> {
  const entries = Object.entries(processes).map(([name, pid]) => {
    const shares = [pid, ...descendantsOf(pid)].map(proportionalBytes);
    return [name, shares.reduce((sum, one) => sum + one, 0)] as const;
  });
  return Object.fromEntries(entries);
}

function proportionalBytes(pid: number): number {
  const kibibytes = /^Pss:\s+(\d+) kB/m.exec(readProcFile(pid, 'smaps_rollup') ?? '')?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

function threadsOf(pid = 0): number {
  return Number(/^Threads:\s+(\d+)/m.exec(readProcFile(pid, 'status') ?? '')?.[1] ?? Number.NaN);
}

const sumOf = (figures: Readonly<Record<string, number>>) =>
  Object.values(figures).reduce((sum, one) => sum + one, 0);
const milli = (cores: number) => `${(1000 * cores).toFixed(2)} millicores`;
const percent = (share: number) => (100 * share).toFixed(1);

function describe(figures: Readonly<Record<string, number>>, show: (figure: number) => string): string {
  const parts = Object.entries(figures).map(([name, figure]) => `${name} ${show(figure)}`);
  return `${parts.join(', ')}; in all ${show(sumOf(figures))}`;
}

function describeCalls(calls: readonly { method: string; path: string; isWatch: boolean }[]): string {
  const kinds = Map.groupBy(calls, ({ method, path, isWatch }) => {
    const [resource = ''] = path.split('/').slice(-1);
    return `${isWatch ? 'watch' : method} ${path.includes('metrics.k8s.io') ? 'metrics of ' : ''}${resource}`;
  });
  return [...kinds].map(([kind, { length }]) => `${length} ${kind}`).join(', ') || 'none';
}
