import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { keepHostEvents } from '../../activities/instances/keep-host-events.js';
import { requestAt } from '../../api/instances/instance-context.js';
import { recordInstanceEvent } from '../../db/queries/instance-events.js';
import { releaseLease } from '../../db/queries/leases.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { makeRequest } from '../factories/make-request.js';
import { describeWith } from '../support/require-part.js';
import { startApi, type RunningApi } from '../support/running-api.js';

/** Instances as operators see and stop them, over HTTP. */
describeWith('postgres')('instances over HTTP', () => {
  let api: RunningApi;
  let admin: { token: string; userId: string };
  let model: MadeModel;
  const tables = ['instance_lease', 'model_instance', 'instance_event', 'audit_entry'];
  beforeAll(async () => {
    api = await startApi();
    admin = await api.user({ admin: true });
  });
  beforeEach(async () => {
    for (const table of tables) await sql().rows(`delete from ${table}`);
    model = await makeModel(sql());
  });
  afterAll(() => api.stop());

  const sql = () => api.parts.database;
  const get = (path: string) => api.call('GET', path, { token: admin.token });
  const list = async (query = '') => {
    const answer = await get(`/api/instances?${query}`);
    expect([answer.status, answer.status === 200 ? null : answer.text]).toEqual([200, null]);
    return answer.json;
  };
  const idsOf = ({ items }: { items: { model_instance: { instance_id: string } }[] }) =>
    items.map(({ model_instance }) => model_instance.instance_id);
  const stop = (body: object) =>
    api.call('POST', '/api/instances/actions', {
      token: admin.token,
      body: { action: 'STOP_INSTANCE', ...body },
    });
  const working = async () => {
    const instanceId = await makeInstance(sql(), { modelId: model.id });
    const request = await makeRequest(sql(), { modelId: model.id, state: 'PROCESSING' });
    const lease = await makeLease(sql(), request, instanceId);
    return { instanceId, ...request, ...lease };
  };

  it('an instance is told with its pod, its request, its leases and when it passed each phase', async () => {
    const { instanceId, requestId, leaseToken } = await working();
    await recordInstanceEvent(sql(), instanceId, 'INSTANCE_POD_CREATED', { uid: 'u' });
    await sql().rows(
      `update instance_lease set peak_memory_bytes = 9000, peak_cpu_millicores = 40, usage_samples = 3
        where lease_token = $1`,
      [leaseToken],
    );
    const pod = { name: instanceId, state: { phase: 'Running' }, pod_state: { conditions: [] } };
    const condition = { type: 'PodScheduled', status: 'True', last_transition_time: '2026-01-01T00:00:00Z' };
    await sql().rows(
      `update model_instance set pod = $2, node = 'node-1', ready_at = now(), first_call_at = '2026-01-01T00:00:07Z'
        where id = $1`,
      [instanceId, { ...pod, pod_state: { conditions: [condition] } }],
    );
    // Its request may have been given to another instance before.
    await sql().rows(`update work_request set job_submitted_at = '2025-12-31' where id = $1`, [requestId]);
    const { items, next_cursor } = await list();
    expect(next_cursor).toBeNull();
    expect(items).toHaveLength(1);
    const [{ model_instance, last_event, work_request, ...rest }] = items;
    expect(model_instance).toMatchObject({
      instance_id: instanceId,
      model_id: model.id,
      work_request_id: requestId,
      state: 'ACTIVE',
      termination_reason: null,
      host: 'test',
      node: 'node-1',
      instance_details: { name: instanceId },
      job_submission_process: {
        id: `${model.id}_${requestId}`,
        work_request_id: String(requestId),
        job_entries: [],
        job_status: 'PENDING',
        model_execution_mode: 'SYNC',
      },
      leases: [
        {
          work_request_id: requestId,
          state: 'GRANTED',
          released_at: null,
          peak_memory_bytes: 9000,
          peak_cpu_millicores: 40,
          usage_samples: 3,
        },
      ],
    });
    expect(model_instance.timings).toEqual({
      requested_at: expect.stringMatching(/\.\d{6}Z$/),
      created_at: expect.stringMatching(/\.\d{6}Z$/),
      scheduled_at: '2026-01-01T00:00:00Z',
      ready_at: expect.stringMatching(/\.\d{6}Z$/),
      first_call_at: '2026-01-01T00:00:07.000000Z',
      terminated_at: null,
    });
    expect(last_event).toMatchObject({
      log_event: 'INSTANCE_POD_CREATED',
      correlation_id: String(requestId),
      source: 'hub',
    });
    expect(work_request).toMatchObject({ id: requestId, request_payload: null });
    expect(rest).toEqual({ metrics: null, resource_profile: null, resource_recommendations: null });
  });

  it('X-A4: the filter by request finds the instances that worked for it, and no other', async () => {
    const wanted = await working();
    const other = await working();
    await sql().transaction((tx) => releaseLease(tx, wanted.leaseToken, { outcome: 'finished' }));
    // The same instance works for somebody else now.
    await makeLease(sql(), await makeRequest(sql(), { modelId: model.id }), wanted.instanceId);
    const found = await list(`work_request_id=${wanted.requestId}&model_id=${model.id}`);
    expect(idsOf(found)).toEqual([wanted.instanceId]);
    expect(found.items[0].model_instance.work_request_id).toBe(wanted.requestId);
    expect(found.items[0].model_instance.job_submission_process.job_status).toBe('COMPLETED');
    expect(idsOf(await list(`work_request_id=${other.requestId}`))).toEqual([other.instanceId]);
    expect(idsOf(await list('work_request_id=999999'))).toEqual([]);
  });

  it('each filter narrows the list, and what a page cleared counts as not given', async () => {
    const warm = await makeInstance(sql(), { modelId: model.id, ageSeconds: 10 });
    const ended = await makeInstance(sql(), { modelId: model.id, state: 'TERMINATED', ageSeconds: 7200 });
    const foreign = await makeInstance(sql(), { modelId: (await makeModel(sql())).id, ageSeconds: 20 });
    await sql().rows(
      `update model_instance set pod = '{"state":{"phase":"Pending"},"pod_state":{"conditions":[]}}' where id = $1`,
      [foreign],
    );
    const anHourAgo = new Date(Date.now() - 3_600_000).toISOString();
    const cases: [string, string[]][] = [
      ['', [warm, foreign, ended]],
      ['model_id=&states=undefined&instance_id=undefined&work_request_id=', [warm, foreign, ended]],
      [`model_id=${model.id}`, [warm, ended]],
      ['states=TERMINATED', [ended]],
      ['states=TERMINATED&states=ACTIVE', [warm, foreign, ended]],
      ['not_states=TERMINATED&not_states=TERMINATING', [warm, foreign]],
      [`instance_id=${foreign}`, [foreign]],
      ['pod_status=Pending', [foreign]],
      ['pod_status=Running', []],
      ['pod_status=Running&pod_status=Pending', [foreign]],
      [`start_from=${anHourAgo}`, [warm, foreign]],
      [`start_to=${anHourAgo}`, [ended]],
      ['load_resource_profiles=True&load_recommendations=false', [warm, foreign, ended]],
    ];
    for (const [query, expected] of cases)
      expect([query, idsOf(await list(query))]).toEqual([query, expected]);
  });

  it('pages give every instance once, those that changed last first', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 7; index++)
      ids.push(await makeInstance(sql(), { modelId: model.id, ageSeconds: Math.floor(index / 2) }));
    // The same instant for several: the id decides.
    await sql().rows(`update model_instance set last_updated = date_trunc('second', last_updated)`);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { items: []; next_cursor: string | null } = await list(`limit=2&cursor=${cursor}`);
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...idsOf(page));
      cursor = page.next_cursor;
    }
    expect(seen).toHaveLength(7);
    expect(new Set(seen)).toEqual(new Set(ids));
  });

  it('asked for by their beginning, instances come by it too, page by page', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index++)
      ids.push(await makeInstance(sql(), { modelId: model.id, ageSeconds: 10 * index }));
    // The oldest changed last: that is no beginning.
    await recordInstanceEvent(sql(), ids.at(-1)!, 'INSTANCE_CHANGED');
    const anHourAgo = new Date(Date.now() - 3_600_000).toISOString();
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: []; next_cursor: string | null } = await list(
        `start_from=${anHourAgo}&limit=2&cursor=${cursor}`,
      );
      seen.push(...idsOf(page));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(ids);
    expect(idsOf(await list())[0]).toBe(ids.at(-1));
  });

  it.each([
    ['states=RUNNING', 'states'],
    ['work_request_id=x', 'work_request_id'],
    ['start_from=2026-02-31', 'start_from'],
    ['limit=0', 'limit'],
    ['cursor=abc', 'cursor'],
    ['load_recommendations=perhaps', 'load_recommendations'],
  ])('the filter %s: 422 that names %s', async (query, field) => {
    const answer = await get(`/api/instances?${query}`);
    expect([answer.status, answer.json.detail[0].loc.slice(0, 2)]).toEqual([422, ['query', field]]);
  });

  it('F6, F13: what the cluster reports stands in the same history at its own time, with the raw event, and is not the last step', async () => {
    const { instanceId, requestId } = await working();
    await sql().rows(`update model_instance set uid = 'u' where id = $1`, [instanceId]);
    await recordInstanceEvent(sql(), instanceId, 'INSTANCE_POD_CREATED');
    const raw = { kind: 'Event', reason: 'Pulling', involvedObject: { uid: 'u' } };
    const event = { instanceId, uid: 'u', type: 'Normal' as const, message: 'Pulling image', raw };
    const [later, earlier] = [60_000, -60_000].map((ms) => new Date(Date.now() + ms).toISOString());
    await keepHostEvents(api.parts.database, [
      { ...event, id: 'e1', reason: 'Pulling', at: later! },
      { ...event, id: 'e0', reason: 'Scheduled', at: earlier! },
    ]);
    const { json } = await get(`/api/instances/history?instance_id=${instanceId}`);
    expect(json.history.map((step: { log_event: string }) => step.log_event)).toEqual([
      'Pulling',
      'INSTANCE_POD_CREATED',
      'Scheduled',
    ]);
    expect(json.history[0]).toMatchObject({
      source: 'cluster',
      correlation_id: String(requestId),
      log_timestamp: later!.replace('Z', '000Z'),
      details: { type: 'Normal', message: 'Pulling image', raw },
    });
    expect((await list()).items[0].last_event.log_event).toBe('INSTANCE_POD_CREATED');
  });

  it('the history of an instance is one line of time, newest first, paged', async () => {
    const { instanceId, requestId } = await working();
    for (let index = 0; index < 5; index++)
      await recordInstanceEvent(sql(), instanceId, `STEP_${index}`, { index });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { json } = await get(`/api/instances/history?instance_id=${instanceId}&limit=2&cursor=${cursor}`);
      seen.push(...json.history.map((event: { log_event: string }) => event.log_event));
      cursor = json.next_cursor;
    }
    expect(seen).toEqual(['STEP_4', 'STEP_3', 'STEP_2', 'STEP_1', 'STEP_0']);
    const byRequest = await get(
      `/api/instances/history?model_id=${model.id}&work_request_id=${requestId}&limit=1`,
    );
    expect(byRequest.json.history[0]).toMatchObject({
      log_event: 'STEP_4',
      correlation_id: String(requestId),
      instance_details: null,
      details: { index: 4 },
    });
    const refused = await get(`/api/instances/history?model_id=${model.id}`);
    expect([refused.status, refused.json.detail]).toEqual([
      400,
      'Missing work_request_id or model_id filter',
    ]);
  });

  it('the history of a request leaves out what its instances saw while they worked for others', async () => {
    const mine = await working();
    await sql().rows(`update model_instance set uid = 'u' where id = $1`, [mine.instanceId]);
    const happen = async (step: string) => {
      const event = {
        instanceId: mine.instanceId,
        uid: 'u',
        type: 'Warning' as const,
        message: step,
        raw: {},
      };
      // The clock of this process is told in whole milliseconds.
      await sleep(5);
      const at = new Date().toISOString();
      await sleep(5);
      await keepHostEvents(api.parts.database, [{ ...event, id: step, reason: step, at }]);
    };
    await recordInstanceEvent(sql(), mine.instanceId, 'INSTANCE_READY');
    await happen('Mine');
    await sql().transaction((tx) => releaseLease(tx, mine.leaseToken, { outcome: 'finished' }));
    await happen('WhileIdle');
    const theirs = await makeRequest(sql(), { modelId: model.id });
    const { leaseToken } = await makeLease(sql(), theirs, mine.instanceId);
    await happen('Theirs');
    await recordInstanceEvent(sql(), mine.instanceId, 'INSTANCE_CHANGED');
    await sql().transaction((tx) => releaseLease(tx, leaseToken, { outcome: 'finished' }));
    await recordInstanceEvent(sql(), mine.instanceId, 'INSTANCE_TERMINATED');
    const stepsFor = async (query: string) => {
      const { json } = await get(`/api/instances/history?${query}`);
      return json.history.map((event: { log_event: string }) => event.log_event).toReversed();
    };
    const ofLife = ['INSTANCE_READY', 'WhileIdle', 'INSTANCE_TERMINATED'];
    const [ready, idle, end] = ofLife;
    expect(await stepsFor(`model_id=${model.id}&work_request_id=${mine.requestId}`)).toEqual([
      ready,
      'Mine',
      idle,
      end,
    ]);
    expect(await stepsFor(`model_id=${model.id}&work_request_id=${theirs.requestId}`)).toEqual([
      ready,
      idle,
      'Theirs',
      'INSTANCE_CHANGED',
      end,
    ]);
    expect(await stepsFor(`instance_id=${mine.instanceId}`)).toHaveLength(6);
  });

  it('whom an event belongs to is known without reading all that its instance served before', async () => {
    const instanceId = await makeInstance(sql(), { modelId: model.id });
    await sql().rows(
      `insert into instance_lease (lease_token, request_id, run_key, slice, user_id, model_id, state, instance_id,
         granted_at, released_at)
       select 'served-' || number, number, 'run', 0, 'user', $1, 'RELEASED', $2, now() - number * interval '1 minute',
         now() - number * interval '1 minute' + interval '1 second' from generate_series(1, 2000) number`,
      [model.id, instanceId],
    );
    const [found] = await sql().rows<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      `explain (analyze, buffers, timing off, format json)
       select ${requestAt} from (values ($1, now())) e (instance_id, at)`,
      [instanceId],
    );
    const { 'Shared Hit Blocks': hit, 'Shared Read Blocks': read } = found!['QUERY PLAN'][0].Plan;
    expect(hit! + read!).toBeLessThan(15);
  });

  it('X-P9: stopping works on the row, whichever process is asked, and is written down with who and why', async () => {
    const { instanceId, requestId } = await working();
    const answer = await stop({ model_id: model.id, work_request_id: String(requestId), reason: 'it hangs' });
    expect([answer.status, answer.json]).toEqual([200, { result: 'Instance termination requested' }]);
    const [row] = await sql().rows(
      `select state, termination_reason, termination_message, stop_requested_by from model_instance where id = $1`,
      [instanceId],
    );
    expect(row).toEqual({
      state: 'SHOULD_TERMINATE',
      termination_reason: 'STOPPED',
      termination_message: expect.stringContaining('it hangs'),
      stop_requested_by: admin.userId,
    });
    const audit = () =>
      sql().rows(`select actor_user_id, action, subject_id, reason, details from audit_entry`);
    const entry = {
      actor_user_id: admin.userId,
      action: 'instance.stop',
      subject_id: instanceId,
      reason: 'it hangs',
      details: { model_id: model.id, work_request_ids: [requestId] },
    };
    expect(await audit()).toEqual([entry]);
    expect((await stop({ instance_id: instanceId })).status).toBe(200);
    expect(await audit()).toEqual([entry]);
  });

  it('stopping is possible however large the numbers of requests have grown', async () => {
    const { instanceId } = await working();
    await sql().rows(`update instance_lease set request_id = 3000000000 where instance_id = $1`, [
      instanceId,
    ]);
    expect((await stop({ model_id: model.id, work_request_id: 3_000_000_000 })).status).toBe(200);
    expect(await sql().rows(`select details -> 'work_request_ids' as ids from audit_entry`)).toEqual([
      { ids: [3_000_000_000] },
    ]);
  });

  it('stopping nothing that runs is 404, saying too little or the unknown 400, and nothing is written', async () => {
    const ended = await makeInstance(sql(), { modelId: model.id, state: 'TERMINATED' });
    const cases: [object, number, string][] = [
      [{ instance_id: ended }, 404, 'Instance not found'],
      [{ model_id: model.id, work_request_id: '77' }, 404, 'Instance not found'],
      [{ instance_id: ended, work_request_id: '' }, 404, 'Instance not found'],
      [{ instance_id: ended, work_request_id: 'x' }, 404, 'Instance not found'],
      [{ model_id: model.id }, 400, 'Missing work_request_id or model_id: name both, or the instance_id'],
      [{ work_request_id: 7 }, 400, 'Missing work_request_id or model_id: name both, or the instance_id'],
      [{ instance_id: ended, action: 'RESTART' }, 400, 'Unknown action RESTART'],
    ];
    for (const [body, status, detail] of cases) {
      const answer = await stop(body);
      expect([body, answer.status, answer.json]).toEqual([body, status, { detail }]);
    }
    expect(await sql().rows(`select id from audit_entry`)).toEqual([]);
  });

  it('pods that live are given in camelCase, of all models or of one, each with the request it works for now', async () => {
    const { instanceId, leaseToken } = await working();
    const ended = await makeInstance(sql(), { modelId: model.id, state: 'TERMINATED' });
    const unused = await makeInstance(sql(), { modelId: (await makeModel(sql())).id, ageSeconds: 60 });
    for (const id of [instanceId, ended, unused])
      await sql().rows(`update model_instance set pod = $2 where id = $1`, [
        id,
        {
          name: id,
          node_name: 'node-1',
          labels: { my_label: 'x' },
          annotations: { 'ersilia.requestid': '1', my_note: 'y' },
          pod_state: { conditions: [] },
        },
      ]);
    await sql().transaction((tx) => releaseLease(tx, leaseToken, { outcome: 'finished' }));
    const next = await makeRequest(sql(), { modelId: model.id });
    const { leaseToken: nextToken } = await makeLease(sql(), next, instanceId);
    const shown = (name: string, request: string) => ({
      name,
      nodeName: 'node-1',
      labels: { my_label: 'x' },
      annotations: { 'ersilia.requestid': request, my_note: 'y' },
      podState: { conditions: [] },
    });
    const reused = shown(instanceId, String(next.requestId));
    expect((await get('/api/k8s/instances')).json).toEqual({ items: [reused, shown(unused, '1')] });
    expect((await get(`/api/k8s/${model.id}/instances`)).json).toEqual({ items: [reused] });
    expect((await get('/api/k8s/eos0none/instances')).json).toEqual({ items: [] });
    // Idle, it still shows whom it worked for last, as the list of instances does.
    await sql().transaction((tx) => releaseLease(tx, nextToken, { outcome: 'finished' }));
    expect((await get(`/api/k8s/${model.id}/instances`)).json).toEqual({ items: [reused] });
  });

  it('only admins may see or stop instances', async () => {
    const { instanceId } = await working();
    for (const token of [await api.guest(), (await api.user()).token]) {
      const answers = [
        await api.call('GET', '/api/instances', { token }),
        await api.call('GET', `/api/instances/history?instance_id=${instanceId}`, { token }),
        await api.call('GET', '/api/k8s/instances', { token }),
        await api.call('GET', '/api/metrics/instances', { token }),
        await api.call('GET', '/api/metrics/instances/samples', { token }),
        await api.call('GET', `/api/metrics/instances/${instanceId}/samples`, { token }),
        await api.call('GET', '/api/metrics/nodes', { token }),
        await api.call('POST', '/api/instances/actions', {
          token,
          body: { action: 'STOP_INSTANCE', instance_id: instanceId },
        }),
      ];
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 403));
    }
    expect(idsOf(await list('states=ACTIVE'))).toEqual([instanceId]);
  });
});
