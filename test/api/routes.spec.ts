import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DiscoveryService, MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { ACCESS, accessLevels } from '../../api/auth/access.js';
import { startApi, type RunningApi } from '../support/running-api.js';

/** What holds for every route: a stated permission, 200 for POST, the shape of errors, headers, documentation. */
describe('routes', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  const document = async () => (await api.call('GET', '/api/v1/openapi.json')).json;

  it('each states who may call it', () => {
    const reflector = api.app.get(Reflector);
    const discovery = new DiscoveryService(api.app.get(ModulesContainer));
    const routes = discovery.getControllers().flatMap(({ instance }) => {
      const prototype = Object.getPrototypeOf(instance) as object;
      return new MetadataScanner().getAllMethodNames(prototype).map((name) => ({
        name: `${prototype.constructor.name}.${name}`,
        handler: prototype[name as never] as () => void,
      }));
    });
    expect(routes.length).toBeGreaterThan(15);
    for (const { name, handler } of routes) {
      expect([name, accessLevels.includes(reflector.get(ACCESS, handler))]).toEqual([name, true]);
    }
  });

  it('none but sign-in and health answers without a session', async () => {
    const { paths } = await document();
    const open: string[] = [];
    for (const [path, methods] of Object.entries(paths as Record<string, Record<string, unknown>>)) {
      for (const method of Object.keys(methods)) {
        const answer = await api.call(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x'), {
          headers: { 'content-type': 'application/json' },
          ...(method === 'post' || method === 'put' ? { body: '{}' } : {}),
        });
        if (answer.status !== 401) open.push(`${method} ${path}`);
      }
    }
    expect(open.sort()).toEqual([
      'get /healthz',
      'get /livez',
      'get /readyz',
      'post /api/auth/anonymous-login',
      'post /api/auth/anonymous-login/{session_id}',
      'post /api/auth/login',
    ]);
  });

  it('POST answers 200, never 201', async () => {
    const { paths } = await document();
    for (const { post } of Object.values(paths as Record<string, { post?: { responses: object } }>)) {
      if (post) expect(Object.keys(post.responses)).toContain('200');
      if (post) expect(Object.keys(post.responses)).not.toContain('201');
    }
  });

  it('errors have one shape, whatever went wrong', async () => {
    const token = await api.guest();
    const cases: [string, string, number, unknown][] = [
      ['GET', '/api/nothing', 404, 'Not Found'],
      ['GET', '/api/work-requests/1/nothing', 404, 'Not Found'],
      ['POST', '/nowhere', 404, 'Not Found'],
      ['DELETE', '/api/models', 405, 'Method Not Allowed'],
      ['PUT', '/api/work-requests/1/cancel', 405, 'Method Not Allowed'],
      ['GET', '/api/models/eos0none', 404, 'Model with id [eos0none] not found'],
    ];
    for (const [method, path, status, detail] of cases) {
      const answer = await api.call(method, path, { token });
      expect([path, answer.status, answer.json]).toEqual([path, status, { detail }]);
    }
    expect((await api.call('DELETE', '/api/models', { token })).headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it('an unexpected error gives a reference and no trace', async () => {
    const token = await api.guest();
    const submitted = await api.call('POST', '/api/work-requests', {
      token,
      body: { model_id: 'eos-physchem', request_payload: { entries: ['CCO'] } },
    });
    // A stored shard that nobody wrote: reading it must fail.
    await api.parts.database.rows(`update work_request_shard set input = 'damaged' where request_id = $1`, [
      submitted.json.id,
    ]);
    const answer = await api.call('GET', `/api/work-requests/${submitted.json.id}`, { token });
    expect(answer.status).toBe(500);
    expect(answer.json.detail).toMatch(/^Internal error, reference [0-9a-f-]{36}$/);
    expect(answer.text).not.toMatch(/zstd|\.ts|\.js|at /);
  });

  it('takes a path with a slash at its end', async () => {
    expect((await api.call('GET', '/api/models/', { token: await api.guest() })).status).toBe(200);
  });

  it('lets pages of any origin in, without cookies', async () => {
    const preflight = await api.call('OPTIONS', '/api/work-requests', {
      headers: {
        origin: 'https://elsewhere.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
    const answer = await api.call('GET', '/api/models', { headers: { origin: 'https://elsewhere.example' } });
    expect(answer.headers.get('access-control-expose-headers')).toContain('content-disposition');
  });

  it('allows its pages nothing from elsewhere', async () => {
    const { headers } = await api.call('GET', '/api/v1/docs');
    const policy = headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/https?:|\*/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('documents itself with assets of its own alone', async () => {
    const page = (await api.call('GET', '/api/v1/docs')).text;
    const assets = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) {
      expect(asset).not.toMatch(/^(https?:)?\/\//);
      const { status } = await api.call('GET', new URL(asset, `${api.url}/api/v1/docs`).pathname);
      expect([asset, status]).toEqual([asset, 200]);
    }
    expect(JSON.stringify(await document())).not.toMatch(/https?:\/\//);
  });

  it('describes both ways to submit, and every field of a request', async () => {
    const { paths, components } = await document();
    const { content } = paths['/api/work-requests'].post.requestBody;
    expect(Object.keys(content)).toEqual([
      'application/json',
      'text/csv',
      'text/tab-separated-values',
      'chemical/x-daylight-smiles',
      'text/plain',
    ]);
    expect(components.schemas.SubmitWorkRequest.required).toEqual(['model_id', 'request_payload']);
    expect(components.schemas.WorkRequest.required).toContain('progress');
    expect(components.schemas.RequestEvent.required).toContain('event_no');
    expect(Object.keys(paths['/api/work-requests/{id}'].get.responses['200'].content)).toContain('text/csv');
  });

  it.each([
    ['GET', '/api/models/{id}', '%00', {}],
    ['POST', '/api/work-requests/{id}/cancel', '%00', {}],
    ['POST', '/api/auth/login', '', { body: '<a/>', headers: { 'content-type': 'text/xml' } }],
    ['PUT', '/api/models/{id}', 'eos-x', { body: '<a/>', headers: { 'content-type': 'text/xml' } }],
    ['POST', '/api/instances/actions', '', { body: { action: 'x'.repeat(9_000_000) } }],
  ] as const)('documents how %s %s answers to what it can not take', async (method, route, id, call) => {
    const { token } = await api.user({ admin: true });
    const answer = await api.call(method, route.replace('{id}', id), { token, ...call });
    expect([413, 415, 422]).toContain(answer.status);
    const operation = (await document()).paths[route][method.toLowerCase()];
    expect(Object.keys(operation.responses)).toContain(String(answer.status));
  });

  it('says per part what is there: without Temporal it is alive and ready, not healthy', async () => {
    expect((await api.call('GET', '/livez')).json).toEqual({ status: 'ok', hub: true });
    const ready = await api.call('GET', '/readyz');
    expect([ready.status, ready.json.parts.database.ok, ready.json.parts.temporal.ok]).toEqual([
      200,
      true,
      false,
    ]);
    const health = await api.call('GET', '/healthz');
    expect([health.status, health.json.status, health.json.hub]).toEqual([503, 'degraded', true]);
  });
});
