import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { HostUnavailableError } from '../model-host.js';
import { ClusterApi } from './cluster-api.js';
import { PodLogs } from './pod-logs.js';

let server: Server;
let logs: PodLogs;
let answer: { readonly status: number; readonly message: string; readonly goesOn?: boolean };

beforeEach(async () => {
  server = createServer((_, response) => {
    const { status, message, goesOn = false } = answer;
    const body = status === 200 ? message : JSON.stringify({ kind: 'Status', reason: 'Any', message });
    response.writeHead(status, { 'content-type': status === 200 ? 'text/plain' : 'application/json' });
    response.write(body);
    if (!goesOn) response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const api = new ClusterApi({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    config: new KubeConfig(),
    sign: async () => ({ headers: {} }),
    distrustConnections: () => undefined,
    distrustCredentials: () => undefined,
  });
  logs = new PodLogs(api, '/api/v1/namespaces/models/pods');
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

const follow = async () => {
  const lines: string[] = [];
  for await (const line of logs.follow('model-1', new AbortController().signal, {})) lines.push(line);
  return lines;
};

/** What API servers and kubelets say of pods that were evicted, rejected, ended or forgotten. */
const nothingToRead: readonly (readonly [number, string])[] = [
  [404, 'pods "model-1" not found'],
  [400, 'container "model" in pod "model-1" is not available'],
  [400, 'container "model" in pod "model-1" is terminated'],
  [400, 'previous terminated container "model" in pod "model-1" not found'],
  [400, 'unable to retrieve container logs for containerd://0123'],
];

describe('the log of a pod', () => {
  it.each(nothingToRead)('is none where the cluster answers %i: %s', async (status, message) => {
    answer = { status, message };
    expect(await logs.read('model-1', {})).toBeNull();
    expect(await follow()).toEqual([]);
  });

  it('is none yet while its server is to start, and who follows it waits', async () => {
    answer = {
      status: 400,
      message: 'container "model" in pod "model-1" is waiting to start: ContainerCreating',
    };
    expect(await logs.read('model-1', {})).toBeNull();
    await expect(follow()).rejects.toThrow(HostUnavailableError);
  });

  it.each([
    [500, 'Get "https://10.0.0.7:10250/containerLogs/models/model-1/model": dial tcp: i/o timeout'],
    [429, 'the server has received too many requests'],
    [401, 'Unauthorized'],
  ])('may be read later where the cluster answers %i: %s', async (status, message) => {
    answer = { status, message };
    await expect(logs.read('model-1', {})).rejects.toThrow(HostUnavailableError);
    await expect(logs.read('model-1', {})).rejects.toThrow(message);
    await expect(follow()).rejects.toThrow(HostUnavailableError);
  });

  it('is what was written, each line with its time', async () => {
    const [first, second] = ['2026-01-01T00:00:01Z the server listens', '2026-01-01T00:00:02Z bye'];
    answer = { status: 200, message: `${first}\n${second}\n` };
    expect(await logs.read('model-1', { tailLines: 5 })).toBe(`${first}\n${second}\n`);
    expect(await follow()).toEqual([first, second]);
  });

  const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`;
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  const bodyOf = (lines: readonly string[]) => ({ status: 200, message: text(lines) });

  it('is told in pieces where a line does not end, and a piece belongs to the time of its line', async () => {
    const long = `${at(1)} ${'x'.repeat(20_000)}`;
    answer = bodyOf([long, `${at(2)} short`]);
    const told = await follow();
    expect(told.map((line) => line.length)).toEqual([8192, 8192, long.length - 2 * 8192, 26]);
    expect(told.slice(0, 3).join('')).toBe(long);
    expect(await logs.read('model-1', { since: at(2) })).toBe(`${at(2)} short\n`);
    expect((await logs.read('model-1', { until: at(1) }))?.replaceAll('\n', '')).toBe(long);
  });

  it('is told while a line goes on without end', async () => {
    answer = { status: 200, message: 'x'.repeat(20_000), goesOn: true };
    const stop = new AbortController();
    const told: string[] = [];
    for await (const line of logs.follow('model-1', stop.signal, {})) {
      told.push(line);
      if (told.length === 2) stop.abort();
    }
    expect(told.join('')).toBe('x'.repeat(2 * 8192));
  });

  it('is read to no more than so many lines and bytes, from the end that is asked for', async () => {
    const written = Array.from({ length: 60 }, (_, second) => `${at(second)} ${'y'.repeat(second)}`);
    answer = bodyOf(written);
    const read = (options: object) => logs.read('model-1', options);
    expect(await read({ lastBytes: 200 })).toBe(text(written.slice(-2)));
    expect(await read({ tailLines: 5, until: at(49) })).toBe(text(written.slice(45, 50)));
    expect(await read({ tailLines: 5, until: at(49), lastBytes: 75 })).toBe(text(written.slice(49, 50)));
    expect(await read({ headLines: 3, since: at(7) })).toBe(text(written.slice(7, 10)));
    expect(await read({ headLines: 0 })).toBe('');
    expect(await read({})).toBe(text(written));
  });
});
