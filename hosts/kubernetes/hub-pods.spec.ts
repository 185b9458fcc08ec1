import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ClusterApi } from './cluster-api.js';
import { HubPods } from './hub-pods.js';

const FORCE_AFTER_SECONDS = 120;
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);

describe('deleting a pod', () => {
  let server: Server;
  let pods: HubPods;
  let graces: number[];
  /** What the server's clock shows, and the time by which the pod is to end. */
  let now: Date;
  const endsBy = at(10);

  beforeEach(async () => {
    graces = [];
    server = createServer((request, response) => {
      void text(request).then((body) => {
        graces.push((JSON.parse(body) as { gracePeriodSeconds: number }).gracePeriodSeconds);
        response.writeHead(200, { date: now.toUTCString() });
        const metadata = { name: 'model-1', uid: 'uid-1', deletionTimestamp: endsBy.toISOString() };
        response.end(JSON.stringify({ metadata }));
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const api = new ClusterApi({
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      config: new KubeConfig(),
      sign: async () => ({ headers: {} }),
      distrustConnections: () => undefined,
      distrustCredentials: () => undefined,
    });
    pods = new HubPods({
      api,
      hub: { name: 'hub', id: 'id' },
      namespace: 'models',
      gracePeriodSeconds: 10,
      forceDeleteSeconds: FORCE_AFTER_SECONDS,
    });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each([
    ['gives it its grace, however far this machine’s clock is ahead of the cluster’s', at(0), [10]],
    ['goes on giving it time until that is over', at(10 + FORCE_AFTER_SECONDS - 1), [10]],
    ['forces its end when it hangs by the clock of the cluster', at(10 + FORCE_AFTER_SECONDS + 2), [10, 0]],
  ])('%s', async (_, shown, expected) => {
    now = shown;
    expect(await pods.delete('model-1', 'uid-1')).toBe(true);
    expect(graces).toEqual(expected);
  });
});
