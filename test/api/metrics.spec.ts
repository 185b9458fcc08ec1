import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { NodeFigureGap } from '../../domain/usage/node-figures.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { describeWith } from '../support/require-part.js';
import { startApi, type RunningApi } from '../support/running-api.js';

/** What instances and nodes use, over HTTP. */
describeWith('postgres')('metrics over HTTP', () => {
  let api: RunningApi;
  let token: string;
  let model: MadeModel;
  beforeAll(async () => {
    api = await startApi();
    ({ token } = await api.user({ admin: true }));
  });
  beforeEach(async () => {
    for (const table of ['model_instance', 'instance_usage', 'usage_sample', 'node_usage', 'node_look'])
      await sql().rows(`delete from ${table}`);
    model = await makeModel(sql());
  });
  afterAll(() => api.stop());

  const sql = () => api.parts.database;
  const get = (path: string) => api.call('GET', path, { token });
  const make = (ageSeconds = 0) => makeInstance(sql(), { modelId: model.id, ageSeconds });

  const measure = async (instanceId: string) => {
    await sql().rows(
      `insert into instance_usage values ($1, $2, 'models', now() - interval '5 seconds', 3, 600, 100, 300, 3, 6000, 1000, 3000)`,
      [instanceId, model.id],
    );
    for (const [age, cpu] of [
      [5, 300],
      [20, 200],
      [300, 100],
    ] as const)
      await sql().rows(
        `insert into usage_sample select expires_on, id, clock_timestamp() - $2::integer * interval '1 second', $3::integer, $3::integer * 10
           from model_instance where id = $1`,
        [instanceId, age, cpu],
      );
  };

  it('an instance that runs shows its averages, over its life and over the last 60 s', async () => {
    const instanceId = await make();
    await measure(instanceId);
    const { metrics } = (await get('/api/instances')).json.items[0];
    expect(metrics).toMatchObject({ model_id: model.id, instance_id: instanceId, namespace: 'models' });
    expect(metrics.cpu_running_averages).toEqual({
      count: 3,
      total: 600,
      min: 100,
      max: 300,
      avg: 200,
      count_60s: 2,
      total_60s: 500,
      min_60s: 200,
      max_60s: 300,
      avg_60s: 250,
    });
    expect(metrics.memory_running_averages).toMatchObject({ max: 3000, max_60s: 3000, avg_60s: 2500 });
  });

  it('X-A4: metrics of ended instances are told when they are asked for, and only then', async () => {
    const running = await make();
    const ended = await makeInstance(sql(), { modelId: model.id, state: 'TERMINATED' });
    await measure(running);
    await measure(ended);
    const idsFor = async (query: string) => {
      const { json } = await get(`/api/metrics/instances?model_id=${model.id}&${query}`);
      return new Set(json.items.map(({ instance_id }: { instance_id: string }) => instance_id));
    };
    expect(await idsFor('')).toEqual(new Set([running]));
    expect(await idsFor('active=False&persisted=true')).toEqual(new Set([ended]));
    expect(await idsFor('persisted=1')).toEqual(new Set([running, ended]));
  });

  it('raw samples are a slice of the last seconds, oldest first', async () => {
    const instanceId = await make();
    await measure(instanceId);
    const values = async (query: string) => {
      const { json } = await get(`/api/metrics/instances/${instanceId}/samples?${query}`);
      return json.samples.map(({ cpu_millicores }: { cpu_millicores: number }) => cpu_millicores);
    };
    expect(await values('')).toEqual([100, 200, 300]);
    expect(await values('seconds=30')).toEqual([200, 300]);
    expect(await values('limit=1')).toEqual([300]);
    const none = await get('/api/metrics/instances/none/samples');
    expect([none.status, none.json.detail]).toEqual([404, 'Instance [none] not found']);
  });

  it('G16: the raw samples of all instances that have not ended are a slice, by page and by model', async () => {
    const [young, old] = [await make(10), await make(60)];
    const unmeasured = await makeInstance(sql(), { modelId: (await makeModel(sql())).id, ageSeconds: 30 });
    const ended = await makeInstance(sql(), { modelId: model.id, state: 'TERMINATED' });
    for (const id of [young, old, ended]) await measure(id);
    const slice = async (query: string) => {
      const { json } = await get(`/api/metrics/instances/samples?${query}`);
      const items = json.items.map((item: { instance_id: string; samples: { cpu_millicores: number }[] }) => [
        item.instance_id,
        item.samples.map(({ cpu_millicores }) => cpu_millicores),
      ]);
      return { items, next: json.next_cursor };
    };
    const [all, none] = [[100, 200, 300], []];
    expect(await slice('')).toEqual({
      items: [
        [young, all],
        [unmeasured, none],
        [old, all],
      ],
      next: null,
    });
    expect((await slice(`model_id=${model.id}&seconds=30`)).items).toEqual([
      [young, [200, 300]],
      [old, [200, 300]],
    ]);
    const first = await slice('limit=2');
    expect(first.items.map(([id]: [string]) => id)).toEqual([young, unmeasured]);
    expect(await slice(`limit=2&cursor=${first.next}`)).toEqual({ items: [[old, all]], next: null });
    const [sample] = (await get(`/api/metrics/instances/samples?limit=1&seconds=15`)).json.items[0].samples;
    expect(sample).toEqual({
      sampled_at: expect.stringMatching(/\.\d{6}Z$/),
      cpu_millicores: 300,
      memory_bytes: 3000,
    });
    const wrong = await get('/api/metrics/instances/samples?limit=1000');
    expect([wrong.status, wrong.json.detail[0].loc]).toEqual([422, ['query', 'limit']]);
  });

  it('nodes are told with what they offer, and what is missing with the one reason for it', async () => {
    const look = async (gap: NodeFigureGap | null) => {
      await sql().rows(
        `insert into node_look values ('nodes', now(), $1) on conflict (name) do update set gap = $1`,
        [gap],
      );
      return (await get('/api/metrics/nodes')).json;
    };
    expect((await get('/api/metrics/nodes')).json).toEqual({
      items: [],
      missing_because: expect.stringMatching(/^Not looked yet: /),
    });
    expect(await look('nodes-not-permitted')).toEqual({
      items: [],
      missing_because: expect.stringMatching(/^Not permitted: .*may not read nodes/),
    });
    expect(await look('no-nodes')).toEqual({
      items: [],
      missing_because: expect.stringMatching(/^No nodes: /),
    });
    await sql().rows(`insert into node_usage values ('node-1', 4000, 8000, 1000, 2000, null, null, now())`);
    expect(await look('use-not-permitted')).toMatchObject({
      items: [{ node: 'node-1', allocatable_cpu_millicores: 4000, used_cpu_millicores: null }],
      missing_because: expect.stringMatching(/^Not permitted: .*what is used on nodes/),
    });
    expect((await look('no-metrics-api')).missing_because).toMatch(/^No metrics API: /);
    expect((await look(null)).missing_because).toBeNull();
  });
});
