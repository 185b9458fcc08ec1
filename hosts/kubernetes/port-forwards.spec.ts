import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePod } from '../../test/factories/make-pod.js';
import type { HostEvent, HostListener, ObservedInstance } from '../model-host.js';
import { PortForwards } from './port-forwards.js';

const credentials = { config: new KubeConfig() };

function instanceOf(uid: string, over: Partial<ObservedInstance> = {}): ObservedInstance {
  return {
    instanceId: `id-of-${uid}`,
    modelId: 'eos-test',
    uid,
    resourceVersion: 7,
    phase: 'Running',
    ready: true,
    waiting: null,
    address: '10.0.0.1:80',
    node: 'node-1',
    restartCount: 0,
    lastTermination: null,
    createdAt: '2026-02-03T04:05:06Z',
    readyAt: '2026-02-03T04:05:07Z',
    terminating: false,
    pod: makePod(uid),
    ...over,
  };
}

/** The machine has no port left, until it has. */
describe('instances that no local port can be opened for', () => {
  let portsLeft: number;
  let told: HostEvent[];
  let warnings: string[];
  let forwards: PortForwards;
  let tell: HostListener;
  beforeEach(() => {
    portsLeft = 0;
    told = [];
    warnings = [];
    const listen = async (server: Server) => {
      if (portsLeft === 0) throw new Error('EMFILE: too many open files');
      portsLeft -= 1;
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    };
    forwards = new PortForwards(credentials, (text) => warnings.push(text), listen);
    tell = forwards.passOn((event) => told.push(event));
  });
  afterEach(() => forwards.close());

  const until = async (count: number) => {
    while (told.length < count) await sleep(5);
  };

  it('are told as soon as there is one, without another change', async () => {
    tell({ type: 'changed', instance: instanceOf('a') });
    tell({ type: 'changed', instance: instanceOf('waiting', { address: null, ready: false }) });
    await until(1);
    expect(told).toMatchObject([{ type: 'changed', instance: { uid: 'waiting' } }]);
    portsLeft = 1;
    await until(2);
    expect(told[1]).toMatchObject({
      type: 'changed',
      instance: {
        uid: 'a',
        ready: true,
        resourceVersion: 7,
        address: expect.stringMatching(/^127\.0\.0\.1:/),
      },
    });
    expect(warnings).toEqual([expect.stringMatching(/no local port .* \(EMFILE.*trying again/)]);
  });

  it('are named by a list meanwhile, but neither ready nor newer than what is told later', async () => {
    portsLeft = 1;
    tell({ type: 'listed', instances: [instanceOf('a'), instanceOf('b')] });
    await until(1);
    const [first] = told;
    const listed = first?.type === 'listed' ? first.instances : [];
    expect(listed).toHaveLength(2);
    expect(listed.filter(({ ready, address }) => ready && address)).toHaveLength(1);
    const missing = listed.find(({ ready }) => !ready)!;
    expect(missing).toMatchObject({ address: null, resourceVersion: 0 });
    portsLeft = 1;
    await until(2);
    expect(told[1]).toMatchObject({ type: 'changed', instance: { uid: missing.uid, resourceVersion: 7 } });
  });

  it('are not told any more once they are gone, or a list names them no more', async () => {
    tell({ type: 'changed', instance: instanceOf('a') });
    tell({ type: 'changed', instance: instanceOf('b') });
    tell({ type: 'gone', instance: instanceOf('a') });
    tell({ type: 'listed', instances: [] });
    await until(2);
    portsLeft = 2;
    await sleep(700);
    expect(told.map(({ type }) => type)).toEqual(['gone', 'listed']);
  });

  it('are told as they are then, and not as they were', async () => {
    tell({ type: 'changed', instance: instanceOf('a') });
    tell({ type: 'changed', instance: instanceOf('a', { resourceVersion: 9 }) });
    await sleep(20);
    portsLeft = 1;
    await until(1);
    await sleep(600);
    expect(told).toMatchObject([{ type: 'changed', instance: { uid: 'a', resourceVersion: 9 } }]);
  });
});
