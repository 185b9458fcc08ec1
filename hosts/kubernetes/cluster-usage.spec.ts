import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { ClusterApi } from './cluster-api.js';
import { ClusterUsage } from './cluster-usage.js';
import { createMetricsApi } from './metrics-api.js';

const nodesPath = '/api/v1/nodes';
const nodeMetricsPath = '/apis/metrics.k8s.io/v1beta1/nodes';
const podMetricsPath = '/apis/metrics.k8s.io/v1beta1/namespaces/models/pods';
const oneNode = { metadata: { name: 'node-1' }, status: { allocatable: { cpu: '4', memory: '8Gi' } } };

describe('what a cluster tells of its nodes', () => {
  let server: Server;
  let api: ClusterApi;
  /** What is refused, and by which status. */
  const refused = new Map<string, number>();
  let nodes: object[];
  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = request.url!.split('?', 1)[0]!;
      const status = refused.get(path) ?? 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      const items = path === nodesPath ? nodes : [];
      response.end(JSON.stringify(status === 200 ? { items } : { reason: 'No', message: `no ${path}` }));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    api = new ClusterApi({
      server: `http://127.0.0.1:${port}`,
      config: new KubeConfig(),
      sign: async () => ({ headers: {} }),
      distrustConnections: () => undefined,
      distrustCredentials: () => undefined,
    });
  });
  beforeEach(() => {
    refused.clear();
    nodes = [oneNode];
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  const read = (source = createMetricsApi(api, 'models', '')) =>
    new ClusterUsage({ api, source, largestNodeMebibytes: null }).read([]);

  it('lacks nothing where everything may be read', async () => {
    expect(await read()).toMatchObject({ nodes: [{ node: 'node-1' }], nodeGap: null, unmeasured: null });
  });

  it('is nothing where nodes may not be read, and says so', async () => {
    refused.set(nodesPath, 403);
    refused.set(nodeMetricsPath, 403);
    expect(await read()).toMatchObject({ nodes: [], nodeGap: 'nodes-not-permitted' });
  });

  it('is nothing where there are none', async () => {
    nodes = [];
    expect(await read()).toMatchObject({ nodes: [], nodeGap: 'no-nodes' });
  });

  it('is their size alone where what is used may not be read, or nobody measures it', async () => {
    const sizeAlone = [{ allocatableCpuMillicores: 4000, usedCpuMillicores: null }];
    refused.set(nodeMetricsPath, 403);
    expect(await read()).toMatchObject({ nodes: sizeAlone, nodeGap: 'use-not-permitted' });
    for (const path of [nodeMetricsPath, podMetricsPath]) refused.set(path, 404);
    expect(await read()).toMatchObject({
      nodes: sizeAlone,
      nodeGap: 'no-metrics-api',
      instances: [],
      unmeasured: expect.stringContaining('install metrics-server'),
    });
    const unmeasured = new ClusterUsage({ api, source: null, largestNodeMebibytes: null });
    expect(await unmeasured.read([])).toMatchObject({ nodes: sizeAlone, nodeGap: 'use-not-measured' });
  });

  it('is not told while the cluster can not say, so that nobody takes it for nothing', async () => {
    refused.set(podMetricsPath, 503);
    await expect(read()).rejects.toThrow('install metrics-server');
    refused.clear();
    refused.set(nodesPath, 500);
    await expect(read()).rejects.toThrow(nodesPath);
  });
});
