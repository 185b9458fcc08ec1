import { fetch } from 'undici';
import { z } from 'zod';
import { HostUnavailableError } from '../model-host.js';
import { MODEL_CONTAINER } from './build-pod.js';
import type { MeasuredUsage, UsageSource } from './metrics-api.js';

const CALL_TIMEOUT_MS = 10_000;
/** CPU is a rate over this window; it holds several scrapes at the usual pace of 15 to 30 s. */
const RATE_WINDOW = '2m';

const answer = z.object({
  data: z.object({
    result: z.array(
      z.object({ metric: z.object({ pod: z.string() }), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});

/** Usage from a Prometheus that scrapes cAdvisor; figures of nodes are left to the metrics API. */
export function createPrometheus(url: string, namespace: string): UsageSource {
  const pods = `{namespace=${JSON.stringify(namespace)},container=${JSON.stringify(MODEL_CONTAINER)}}`;
  return {
    readPods: async () => {
      const [cpu, memory] = await Promise.all([
        query(url, `sum by (pod) (rate(container_cpu_usage_seconds_total${pods}[${RATE_WINDOW}]))`),
        query(url, `sum by (pod) (container_memory_working_set_bytes${pods})`),
      ]);
      return [...memory].map(([name, { value, at }]): MeasuredUsage => {
        const cores = cpu.get(name)?.value ?? 0;
        return { name, cpuMillicores: Math.ceil(cores * 1000), memoryBytes: Math.ceil(value), sampledAt: at };
      });
    },
    readNodes: () => Promise.resolve(null),
  };
}

type Values = ReadonlyMap<string, { readonly value: number; readonly at: string }>;

async function query(url: string, expression: string): Promise<Values> {
  const address = new URL(`${url.replace(/\/+$/, '')}/api/v1/query`);
  address.searchParams.set('query', expression);
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
    if (!response.ok)
      throw new Error(`it answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
    const { data } = answer.parse(await response.json());
    return new Map(
      data.result.map(({ metric, value: [seconds, value] }) => [
        metric.pod,
        { value: Number(value) || 0, at: new Date(seconds * 1000).toISOString() },
      ]),
    );
  } catch (error) {
    throw new HostUnavailableError(
      `the Prometheus at ${url} could not tell the usage of instances (${String(error)}): check PROMETHEUS_URL`,
      { cause: error },
    );
  }
}
