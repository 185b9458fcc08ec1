import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostUnavailableError } from '../model-host.js';
import { createPrometheus } from './prometheus.js';

interface Answer {
  readonly status: number;
  readonly body: string;
}

let server: Server;
let url = '';
let asked: string[] = [];
let answerOf: () => Answer;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://prometheus');
    const query = searchParams.get('query') ?? '';
    asked.push(`${pathname} ${query}`);
    const { status, body } = answerOf();
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
});

const scrapedAt = '1767225600.25';

/** What Prometheus says of an instant query: a vector, each value with the time of the question, which is none of ours. */
function vector(pods: Readonly<Record<string, Readonly<Record<string, string>>>>): Answer {
  const result = Object.entries(pods).flatMap(([pod, figures]) =>
    Object.entries(figures).map(([figure, value]) => ({
      metric: { pod, figure },
      value: [Date.now() / 1000, value],
    })),
  );
  const data = { resultType: 'vector', result };
  return { status: 200, body: JSON.stringify({ status: 'success', data }) };
}

const pod = (cpu: string, memory: string, at = scrapedAt) => ({ cpu, memory, cpu_at: at, memory_at: at });
const read = () => createPrometheus(`${url}/`, 'models').readPods();

describe('usage from a Prometheus', () => {
  it('is the rate of CPU and the memory of every pod of the namespace, in one question', async () => {
    answerOf = () => vector({ 'model-1': pod('0.25', '1048576'), 'model-2': pod('1.5', '2.5e+06') });
    expect(await read()).toEqual([
      { name: 'model-1', cpuMillicores: 250, memoryBytes: 1_048_576, sampledAt: '2026-01-01T00:00:00.250Z' },
      { name: 'model-2', cpuMillicores: 1500, memoryBytes: 2_500_000, sampledAt: '2026-01-01T00:00:00.250Z' },
    ]);
    const selector = '{namespace="models",container="model"}';
    expect(asked).toEqual([
      '/api/v1/query ' +
        [
          `label_replace(sum by (pod) (rate(container_cpu_usage_seconds_total${selector}[2m])), "figure", "cpu", "", "")`,
          `label_replace(max by (pod) (timestamp(container_cpu_usage_seconds_total${selector})), "figure", "cpu_at", "", "")`,
          `label_replace(sum by (pod) (container_memory_working_set_bytes${selector}), "figure", "memory", "", "")`,
          `label_replace(max by (pod) (timestamp(container_memory_working_set_bytes${selector})), "figure", "memory_at", "", "")`,
        ].join(' or '),
    ]);
  });

  it('X-P11: is the same sample until the next scrape, however often it is asked for', async () => {
    answerOf = () => vector({ 'model-1': pod('0.25', '4096') });
    const first = await read();
    await sleep(5);
    expect(await read()).toEqual(first);
    answerOf = () => vector({ 'model-1': pod('0.25', '4096', '1767225615.5') });
    expect(await read()).toMatchObject([{ sampledAt: '2026-01-01T00:00:15.500Z' }]);
  });

  it('is as old as the older of its two figures', async () => {
    answerOf = () => vector({ 'model-1': { ...pod('0.25', '4096'), memory_at: '1767225610' } });
    expect(await read()).toMatchObject([{ sampledAt: '2026-01-01T00:00:00.250Z' }]);
  });

  it('X-P11: keeps tiny values', async () => {
    answerOf = () => vector({ 'model-1': pod('1.2e-05', '4.096e+03') });
    expect(await read()).toMatchObject([{ cpuMillicores: 1, memoryBytes: 4096 }]);
  });

  it('is no CPU for a pod that is too young for a rate, and none at all for one without memory', async () => {
    answerOf = () =>
      vector({
        'model-1': { memory: '4096', memory_at: scrapedAt, cpu_at: scrapedAt },
        'model-2': { cpu: '1', cpu_at: scrapedAt },
      });
    expect(await read()).toEqual([
      { name: 'model-1', cpuMillicores: 0, memoryBytes: 4096, sampledAt: '2026-01-01T00:00:00.250Z' },
    ]);
  });

  it('reads what is no number as nothing', async () => {
    answerOf = () => vector({ 'model-1': pod('NaN', 'NaN') });
    expect(await read()).toMatchObject([{ cpuMillicores: 0, memoryBytes: 0 }]);
  });

  it('tells that it does not measure nodes', async () => {
    expect(await createPrometheus(url, 'models').readNodes()).toBe('use-not-measured');
    expect(asked).toEqual([]);
  });

  it.each([
    [
      'refuses',
      { status: 422, body: '{"status":"error","error":"parse error"}' },
      /answered 422: .*parse error/,
    ],
    ['answers with a page', { status: 200, body: '<html>sign in</html>' }, /JSON/],
    ['answers with something else', { status: 200, body: '{"data":{}}' }, /result/],
  ])(
    'says which Prometheus could not tell it, and what to check, when that %s',
    async (_how, answer, says) => {
      answerOf = () => answer;
      const failing = read();
      await expect(failing).rejects.toThrow(HostUnavailableError);
      await expect(failing).rejects.toThrow(says);
      await expect(failing).rejects.toThrow(/check PROMETHEUS_URL/);
    },
  );

  it('says so when nobody is there', async () => {
    server.close();
    await expect(read()).rejects.toThrow(HostUnavailableError);
  });
});
