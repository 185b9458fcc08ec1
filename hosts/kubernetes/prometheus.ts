import { fetch } from 'undici';
import { z } from 'zod';
import { MS_PER_SECOND } from '../../domain/units.js';
import { HostUnavailableError } from '../model-host.js';
import { MODEL_CONTAINER } from './build-pod.js';
import type { MeasuredUsage, UsageSource } from './metrics-api.js';

const CALL_TIMEOUT_MS = 10_000;
const MILLICORES_PER_CORE = 1000;
/** CPU is a rate over this window; it holds several scrapes at the usual pace of 15 to 30 s. */
const RATE_WINDOW = '2m';

const answer = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.object({ pod: z.string(), figure: z.string() }),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});

/**
 * Usage from a Prometheus that scrapes cAdvisor; figures of nodes are left to the metrics API. A figure has the time of
 * the scrape that it stands on and not that of the question: between two scrapes it stays the same sample.
 */
export function createPrometheus(url: string, namespace: string): UsageSource {
  const expression = askFor(namespace);
  return {
    readPods: async () => {
      const pods = Map.groupBy(await query(url, expression), ({ pod }) => pod);
      return [...pods].flatMap(([name, told]) => toUsage(name, told) ?? []);
    },
    readNodes: () => Promise.resolve('use-not-measured'),
  };
}

interface Told {
  readonly pod: string;
  readonly figure: string;
  readonly value: number;
}

/** All figures in one question: asked one by one, a scrape between them would give a value the time of another. */
function askFor(namespace: string): string {
  const pods = `{namespace=${JSON.stringify(namespace)},container=${JSON.stringify(MODEL_CONTAINER)}}`;
  const [cpu, memory] = [
    `container_cpu_usage_seconds_total${pods}`,
    `container_memory_working_set_bytes${pods}`,
  ];
  const figures = {
    cpu: `sum by (pod) (rate(${cpu}[${RATE_WINDOW}]))`,
    cpu_at: `max by (pod) (timestamp(${cpu}))`,
    memory: `sum by (pod) (${memory})`,
    memory_at: `max by (pod) (timestamp(${memory}))`,
  };
  return Object.entries(figures)
    .map(([name, figure]) => `label_replace(${figure}, "figure", "${name}", "", "")`)
    .join(' or ');
}

/** Null for a pod without memory. Of the times of CPU and memory the earlier one: until then both are known. */
function toUsage(name: string, told: readonly Told[]): MeasuredUsage | null {
  const of = (figure: string) => told.find((one) => one.figure === figure)?.value;
  const [memory, memoryAt] = [of('memory'), of('memory_at')];
  if (memory === undefined || memoryAt === undefined) return null;
  const sampledAtMs = Math.min(memoryAt, of('cpu_at') ?? Number.POSITIVE_INFINITY) * MS_PER_SECOND;
  return {
    name,
    cpuMillicores: Math.ceil((of('cpu') ?? 0) * MILLICORES_PER_CORE),
    memoryBytes: Math.ceil(memory),
    sampledAt: new Date(sampledAtMs).toISOString(),
  };
}

async function query(url: string, expression: string): Promise<Told[]> {
  const address = new URL(`${url.replace(/\/+$/, '')}/api/v1/query`);
  address.searchParams.set('query', expression);
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
    if (!response.ok)
      throw new Error(`it answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
    const { data } = answer.parse(await response.json());
    return data.result.map(({ metric, value: [, value] }) => ({ ...metric, value: Number(value) || 0 }));
  } catch (error) {
    throw new HostUnavailableError(
      `the Prometheus at ${url} could not tell the usage of instances (${String(error)}): check PROMETHEUS_URL`,
      { cause: error },
    );
  }
}
