import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { CancelledFailure } from '@temporalio/activity';
import { observeOnce } from '../../activities/usage/observe-usage.activities.js';
import { readUsageTogether } from '../../activities/usage/read-usage-together.js';
import { readNodeLook, readNodeUsage, readRunningAverages } from '../../db/queries/usage.js';
import type { InstanceUsage } from '../../hosts/model-host.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeModel } from '../factories/make-model.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { PlayedHost } from '../support/played-host.js';
import { describeWith } from '../support/require-part.js';

const usageOf = (instanceId: string, over: Partial<InstanceUsage> = {}): InstanceUsage => ({
  instanceId,
  uid: 'uid',
  cpuMillicores: 40,
  memoryBytes: 5000,
  peakMemoryBytes: 9000,
  cpuSecondsTotal: 3,
  sampledAt: new Date().toISOString(),
  ...over,
});

describeWith('postgres')('observing usage', () => {
  let worker: PlayedWorker;
  let id: string;

  beforeAll(async () => {
    worker = await openPlayedWorker();
    id = await makeInstance(worker.database, { modelId: (await makeModel(worker.database)).id, uid: 'uid' });
  });
  afterAll(() => worker.close());

  const readAverages = () => readRunningAverages(worker.database, { active: true, ended: false, limit: 10 });

  it('asks the host once for all instances and nodes, and writes what it says', async () => {
    const { host } = worker;
    const node = {
      node: 'local-1',
      allocatableCpuMillicores: 1000,
      allocatableMemoryBytes: 1e9,
      requestedCpuMillicores: 10,
      requestedMemoryBytes: 1e6,
      usedCpuMillicores: null,
      usedMemoryBytes: null,
    };
    host.place(id);
    host.usage = { ...host.usage, instances: [usageOf(id)], nodes: [node], nodeGap: 'use-not-permitted' };
    await observeOnce(worker.deps);
    expect(await readAverages()).toMatchObject([
      { instance_id: id, namespace: 'models', cpu_running_averages: { count: 1, avg: 40, avg_60s: 40 } },
    ]);
    expect(await readNodeUsage(worker.database)).toMatchObject([
      { node: 'local-1', used_cpu_millicores: null },
    ]);
    expect(await readNodeLook(worker.database)).toEqual({ gap: 'use-not-permitted' });
  });

  it('writes of the nodes what there is where no instance is measured, and says why', async () => {
    const { host, warnings } = worker;
    const environment = new MockActivityEnvironment();
    const unmeasured = 'the cluster has no metrics.k8s.io';
    host.usage = { instances: [], unmeasured, nodes: [], nodeGap: 'no-metrics-api' };
    const observing = environment.run(() => worker.activities.observeUsage());
    while ((await readNodeLook(worker.database))?.gap !== 'no-metrics-api') await sleep(20);
    environment.cancel();
    await expect(observing).rejects.toBeInstanceOf(CancelledFailure);
    expect(warnings).toEqual(['no instance is measured']);
    warnings.length = 0;
  });

  it('goes on after its host was away, says so, and ends when its worker stops', async () => {
    const { host, warnings } = worker;
    const environment = new MockActivityEnvironment();
    const heartbeat = new Promise((resolve) => environment.once('heartbeat', resolve));
    host.readUsage = () => Promise.reject(new Error('the host is away'));
    const observing = environment.run(() => worker.activities.observeUsage());
    await heartbeat;
    environment.cancel();
    await expect(observing).rejects.toBeInstanceOf(CancelledFailure);
    expect(warnings).toEqual(['usage could not be read or written; the next pass tries again']);
  });

  it('asks a host once for all whose instances end together, after each of them asked', async () => {
    const host = new PlayedHost();
    let reads = 0;
    host.readUsage = async () => {
      reads += 1;
      return { ...host.usage, instances: [usageOf('one', { memoryBytes: reads })] };
    };
    const first = await readUsageTogether(host);
    const rest = await Promise.all(Array.from({ length: 50 }, () => readUsageTogether(host)));
    expect(first.instances[0]!.memoryBytes).toBe(1);
    expect(rest.map(({ instances }) => instances[0]!.memoryBytes)).toEqual(Array(50).fill(2));
    expect(reads).toBe(2);
  });
});
