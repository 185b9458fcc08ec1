import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HostUnavailableError } from '../model-host.js';
import { createPrometheus } from './prometheus.js';

interface Answer {
  readonly status: number;
  readonly body: string;
}

let server: Server;
let url = '';
let asked: string[] = [];
let answerOf: (query: string) => Answer;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://prometheus');
    const query = searchParams.get('query') ?? '';
    asked.push(`${pathname} ${query}`);
    const { status, body } = answerOf(query);
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

/** What Prometheus says of an instant query: a vector with a time in seconds and a number as text. */
function vector(values: Readonly<Record<string, string>>, at = 1_767_225_600.25): Answer {
  const result = Object.entries(values).map(([pod, value]) => ({ metric: { pod }, value: [at, value] }));
  const data = { resultType: 'vector', result };
  return { status: 200, body: JSON.stringify({ status: 'success', data }) };
}

const isCpu = (query: string) => query.includes('cpu');
const read = () => createPrometheus(`${url}/`, 'models').readPods();

describe('usage from a Prometheus', () => {
  it('is the rate of CPU and the memory of every pod of the namespace, in two questions', async () => {
    answerOf = (query) =>
      isCpu(query)
        ? vector({ 'model-1': '0.25', 'model-2': '1.5' })
        : vector({ 'model-1': '1048576', 'model-2': '2.5e+06' });
    expect(await read()).toEqual([
      { name: 'model-1', cpuMillicores: 250, memoryBytes: 1_048_576, sampledAt: '2026-01-01T00:00:00.250Z' },
      { name: 'model-2', cpuMillicores: 1500, memoryBytes: 2_500_000, sampledAt: '2026-01-01T00:00:00.250Z' },
    ]);
    expect(asked.toSorted()).toEqual([
      '/api/v1/query sum by (pod) (container_memory_working_set_bytes{namespace="models",container="model"})',
      '/api/v1/query sum by (pod) (rate(container_cpu_usage_seconds_total{namespace="models",container="model"}[2m]))',
    ]);
  });

  it('X-P11: keeps tiny values, and asks for the container of the model server alone', async () => {
    answerOf = (query) => vector({ 'model-1': isCpu(query) ? '1.2e-05' : '4.096e+03' });
    expect(await read()).toMatchObject([{ cpuMillicores: 1, memoryBytes: 4096 }]);
    expect(asked.every((question) => question.includes('container="model"'))).toBe(true);
  });

  it('is no CPU for a pod that is too young for a rate, and none at all for one without memory', async () => {
    answerOf = (query) => vector(isCpu(query) ? { 'model-2': '1' } : { 'model-1': '4096' });
    expect(await read()).toMatchObject([{ name: 'model-1', cpuMillicores: 0, memoryBytes: 4096 }]);
  });

  it('reads what is no number as nothing', async () => {
    answerOf = () => vector({ 'model-1': 'NaN' });
    expect(await read()).toMatchObject([{ cpuMillicores: 0, memoryBytes: 0 }]);
  });

  it('is not told of nodes', async () => {
    expect(await createPrometheus(url, 'models').readNodes()).toBeNull();
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
