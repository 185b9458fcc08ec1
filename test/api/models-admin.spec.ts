import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { lockClaims, serveClaims } from '../../db/queries/claims.js';
import { insertClaim, releaseLease } from '../../db/queries/leases.js';
import type { ModelDetailsInput } from '../../domain/model/model-input.wire.js';
import { makeRequest } from '../factories/make-request.js';
import { describeWith } from '../support/require-part.js';
import { startApi, type RunningApi } from '../support/running-api.js';

/** Models made and changed by admins, over HTTP. */
describeWith('postgres')('models in the hands of admins', () => {
  let api: RunningApi;
  let admin: { token: string; userId: string };
  let next = 0;
  beforeAll(async () => {
    api = await startApi();
    admin = await api.user({ admin: true });
  });
  afterAll(() => api.stop());

  const details: ModelDetailsInput = {
    template_version: '0.0.0',
    description: 'Predicts something of use.',
    disable_memory_limit: false,
    max_instances: -1,
    execution_mode: 'ASYNC',
    k8s_resources: { cpu_request: 10, cpu_limit: 500, memory_request: 100, memory_limit: 3500 },
    image_tag: 'latest',
    cache_enabled: false,
    identification_details: null,
  };
  const newId = () => `eos${(next++).toString(36).padStart(4, '0')}`;
  const post = (body: unknown) => api.call('POST', '/api/models', { token: admin.token, body });
  const put = (id: string, body: unknown, headers: Record<string, string> = {}) =>
    api.call('PUT', `/api/models/${id}`, { token: admin.token, body, headers });
  const create = async (over: Partial<ModelDetailsInput> = {}) => {
    const answer = await post({ id: newId(), enabled: true, details: { ...details, ...over } });
    expect(answer.status).toBe(200);
    return answer.json;
  };
  const deeds = (id: string) =>
    api.parts.database.rows<{ action: string; actor_user_id: string; details: any }>( // oxlint-disable-line typescript/no-explicit-any -- any details
      `select action, actor_user_id, details from audit_entry where subject_id = $1 order by id`,
      [id],
    );

  it('a new model is what the body says, and everybody sees it at once', async () => {
    const model = await create({ columns: [] });
    expect(model).toMatchObject({ enabled: true, revision: 1, details });
    expect(model.details).toMatchObject({ image: `ersiliaos/${model.id}`, warm_seconds: 60, citation: null });
    const guest = await api.guest();
    expect((await api.call('GET', `/api/models/${model.id}`, { token: guest })).json).toEqual(model);
    expect(await deeds(model.id)).toMatchObject([{ action: 'model.create', actor_user_id: admin.userId }]);
  });

  it('a second model of the same id is refused in words that clients look for', async () => {
    const { id } = await create();
    const answer = await post({ id, enabled: true, details });
    expect([answer.status, answer.json]).toEqual([409, { detail: `Model id [${id}] already exists` }]);
    expect(await deeds(id)).toHaveLength(1);
  });

  it('a page of the original changes a model by sending back all it was given, fields it does not know included', async () => {
    const model = await create({ warm_seconds: 5, citation: 'Someone, 2020' });
    const { warm_seconds, citation, image, columns, ...known } = model.details;
    const answer = await put(model.id, {
      id: 'eos-other',
      enabled: false,
      last_updated: '2020-01-01T00:00:00.000000Z',
      odd: [1],
      details: known,
    });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ id: model.id, enabled: false, revision: 2 });
    expect(answer.json.details).toEqual(model.details);
    expect([warm_seconds, citation, image, columns]).toEqual([
      5,
      'Someone, 2020',
      `ersiliaos/${model.id}`,
      [],
    ]);
    const [, deed] = await deeds(model.id);
    expect(deed).toMatchObject({
      action: 'model.update',
      details: { before: { enabled: true, revision: 1 }, after: { enabled: false, revision: 2 } },
    });
  });

  it('of two admins who change the same revision one is told to look again, and nothing is half written', async () => {
    const { id } = await create();
    const change = (description: string) =>
      put(id, { enabled: true, revision: 1, details: { ...details, description } });
    const answers = await Promise.all([change('One wrote this.'), change('Another wrote this.')]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.sort((left, right) => left - right)).toEqual([200, 409]);
    const lost = answers.find(({ status }) => status === 409)!;
    expect(lost.json.detail).toContain('has changed since revision 1 and is at revision 2 now');
    expect(await deeds(id)).toHaveLength(2);
    const late = await put(id, { enabled: true, details }, { 'if-match': '"1"' });
    expect(late.status).toBe(409);
    expect((await put(id, { enabled: true, details }, { 'if-match': '"2"' })).json.revision).toBe(3);
  });

  it.each<[string, unknown, (string | number)[]]>([
    ['an id that is no name for a pod', { id: 'eosA_1' }, ['id']],
    ['an id of three letters', { id: 'eos' }, ['id']],
    ['no details', { details: undefined }, ['details']],
    ['too short a description', { details: { ...details, description: 'no' } }, ['details', 'description']],
    ['31 instances', { details: { ...details, max_instances: 31 } }, ['details', 'max_instances']],
    ['another mode', { details: { ...details, execution_mode: 'LATER' } }, ['details', 'execution_mode']],
    ['a tag with a blank', { details: { ...details, image_tag: 'v1 0' } }, ['details', 'image_tag']],
    ['no sizes', { details: { ...details, k8s_resources: null } }, ['details', 'k8s_resources']],
    ...(
      [
        ['cpu_request', 9],
        ['cpu_request', 1001],
        ['cpu_limit', 5001],
        ['memory_request', 49],
        ['memory_limit', 15_001],
        ['memory_limit', 99.5],
      ] as const
    ).map(([name, value]): [string, unknown, string[]] => [
      `${name} ${value}`,
      { details: { ...details, k8s_resources: { ...details.k8s_resources, [name]: value } } },
      ['details', 'k8s_resources', name],
    ]),
    [
      'a limit below its request',
      { details: { ...details, k8s_resources: { ...details.k8s_resources, memory_request: 4000 } } },
      ['details', 'k8s_resources', 'memory_limit'],
    ],
  ])('%s: 422 that names the field', async (_, over, loc) => {
    const answer = await post({ id: newId(), enabled: true, details, ...(over as object) });
    expect(answer.status).toBe(422);
    expect(answer.json.detail[0].loc).toEqual(['body', ...loc]);
  });

  it('an unknown model is 404, an If-Match that names no revision 422', async () => {
    const answer = await put('eos0none', { enabled: true, details });
    expect([answer.status, answer.json.detail]).toEqual([404, 'Model id [eos0none] does not exist']);
    expect((await put('eos0none', { enabled: true, details }, { 'if-match': 'abc' })).status).toBe(422);
  });

  it('numbers of a form come as text', async () => {
    const asText = Object.fromEntries(
      Object.entries(details.k8s_resources).map(([name, value]) => [name, String(value)]),
    );
    const answer = await post({
      id: newId(),
      enabled: true,
      details: { ...details, max_instances: ' -1', k8s_resources: asText },
    });
    expect([answer.status, answer.json.details.k8s_resources]).toEqual([200, details.k8s_resources]);
    const again = await put(answer.json.id, { enabled: true, revision: '1', details });
    expect([again.status, again.json.revision]).toEqual([200, 2]);
    for (const cpu_limit of ['', '5e2', '500.5', 'many', true, [500]]) {
      const wrong = { ...details, k8s_resources: { ...details.k8s_resources, cpu_limit } };
      expect([cpu_limit, (await post({ id: newId(), enabled: true, details: wrong })).status]).toEqual([
        cpu_limit,
        422,
      ]);
    }
  });

  it('X-A8: the cache of a model that there is not can not be cleared, that of one that there is can, by admins', async () => {
    const clear = (id: string, token: string) => api.call('DELETE', `/api/models/${id}/cache`, { token });
    const { id } = await create();
    const cleared = await clear(id, admin.token);
    expect([cleared.status, cleared.json]).toEqual([200, { result: 'SUCCESS' }]);
    expect((await deeds(id)).map(({ action }) => action)).toEqual(['model.create', 'model.clear-cache']);
    expect((await clear('eos0none', admin.token)).json).toEqual({
      detail: 'Model with id [eos0none] not found',
    });
    for (const token of [await api.guest(), (await api.user()).token])
      expect((await clear(id, token)).status).toBe(403);
  });

  it('a model is changed while a long upload for it is being stored', async () => {
    const { id } = await create();
    await api.parts.database.transaction(async (sql) => {
      await makeRequest(sql, { modelId: id });
      // Behind the upload it would hold the lock of all claims until the upload ends.
      expect((await put(id, { enabled: false, details })).status).toBe(200);
    });
  });

  it('only admins may', async () => {
    for (const token of [await api.guest(), (await api.user()).token]) {
      const answers = [
        await api.call('POST', '/api/models', { token, body: { id: newId(), enabled: true, details } }),
        await api.call('PUT', '/api/models/eos-physchem', { token, body: { enabled: false, details } }),
        await api.call('GET', '/api/models/eos-physchem/scaling-info', { token }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    }
  });

  const claimOf = (id: string) =>
    api.parts.database.transaction(async (sql) => {
      await lockClaims(sql);
      const request = await makeRequest(sql, { modelId: id, state: 'SCHEDULING' });
      const leaseToken = await insertClaim(sql, request, 0);
      await serveClaims(sql, {
        maxInstances: 10,
        patienceSeconds: 10,
        hostKind: 'test',
        instanceRetentionDays: 1,
      });
      return leaseToken;
    });
  const instanceOf = async (leaseToken: string) => {
    const [row] = await api.parts.database.rows<Record<string, unknown>>(
      `select i.id, i.image, i.model_revision, i.cpu_limit_millicores from instance_lease l
         join model_instance i on i.id = l.instance_id where l.lease_token = $1`,
      [leaseToken],
    );
    return row!;
  };
  const release = (leaseToken: string) =>
    api.parts.database.transaction((sql) => releaseLease(sql, leaseToken, { outcome: 'finished' }));

  it('the next claim starts the model as it was changed, and a warm instance of before is not lent', async () => {
    const { id } = await create({ execution_mode: 'SYNC' });
    const { database } = api.parts;
    const claim = () => claimOf(id);
    const first = await claim();
    const { id: instanceId } = await instanceOf(first);
    await database.rows(`update model_instance set state = 'ACTIVE' where id = $1`, [instanceId]);
    await release(first);
    const second = await claim();
    expect((await instanceOf(second)).id).toBe(instanceId);
    await release(second);

    const sizes = { ...details.k8s_resources, cpu_limit: 750 };
    expect(
      (await put(id, { enabled: true, details: { ...details, image_tag: 'v2.0.0', k8s_resources: sizes } }))
        .status,
    ).toBe(200);
    const changed = await instanceOf(await claim());
    expect(changed).toMatchObject({
      image: `ersiliaos/${id}:v2.0.0`,
      model_revision: 2,
      cpu_limit_millicores: 750,
    });
    expect(changed.id).not.toBe(instanceId);
    const info = await api.call('GET', `/api/models/${id}/scaling-info`, { token: admin.token });
    expect(info.json).toEqual({ enabled: true, current_instances: 2, max_instances: -1 });
  });

  it('a warm instance is lent on when a change leaves alone what it is made of, as switching off and on does', async () => {
    const { id, details: whole } = await create({ execution_mode: 'SYNC' });
    const first = await claimOf(id);
    const { id: instanceId } = await instanceOf(first);
    await api.parts.database.rows(`update model_instance set state = 'ACTIVE' where id = $1`, [instanceId]);
    await release(first);
    for (const enabled of [false, true])
      expect((await put(id, { enabled, details: whole })).status).toBe(200);
    const more = { ...whole, max_instances: 5, description: 'Says more of itself.', warm_seconds: 7 };
    expect((await put(id, { enabled: true, details: more })).status).toBe(200);
    expect(await instanceOf(await claimOf(id))).toMatchObject({ id: instanceId, model_revision: 4 });
  });
});
