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
let answer: { readonly status: number; readonly message: string };

beforeEach(async () => {
  server = createServer((_, response) => {
    const { status, message } = answer;
    const body = status === 200 ? message : JSON.stringify({ kind: 'Status', reason: 'Any', message });
    response.writeHead(status, { 'content-type': status === 200 ? 'text/plain' : 'application/json' });
    response.end(body);
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
});
