import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startApi, type Answer, type RunningApi } from '../support/running-api.js';

/** Wrong input gets a 4xx that names the field: never a 5xx, never a trace. */
describe('wrong input', () => {
  let api: RunningApi;
  let token: string;
  beforeAll(async () => {
    api = await startApi();
    token = await api.guest();
  });
  afterAll(() => api.stop());

  const post = (path: string, body: string, type = 'application/json') =>
    api.call('POST', path, { token, body, headers: { 'content-type': type } });
  const submit = (body: string) => post('/api/work-requests', body);
  const withEntries = (entries: string) =>
    `{"model_id":"eos-physchem","request_payload":{"entries":${entries}}}`;

  const expectSound = (answer: Answer) => {
    expect(answer.status).toBeLessThan(500);
    expect(answer.text).not.toMatch(/\bat .+\.(js|ts):\d+/);
    if (answer.status >= 400) expect(answer.json).toHaveProperty('detail');
  };

  it.each([
    ['nothing', '', ['body']],
    ['no JSON', '{"model_id":', ['body']],
    ['null', 'null', ['body']],
    ['a list', '[]', ['body']],
    ['a number', '7', ['body']],
    ['no payload', '{"model_id":"eos-physchem"}', ['body', 'request_payload']],
    ['no model', '{"request_payload":{"entries":["C"]}}', ['body', 'model_id']],
    ['a number for the model', '{"model_id":7,"request_payload":{"entries":["C"]}}', ['body', 'model_id']],
    ['text for entries', withEntries('"CCO"'), ['body', 'request_payload', 'entries']],
    ['a number among entries', withEntries('["C",7]'), ['body', 'request_payload', 'entries', 1]],
    ['null among entries', withEntries('["C","N",null]'), ['body', 'request_payload', 'entries', 2]],
    ['NUL in an entry', withEntries(String.raw`["C","N\u0000"]`), ['body', 'request_payload', 'entries', 1]],
    ['half a surrogate pair', withEntries(String.raw`["\ud800"]`), ['body', 'request_payload', 'entries', 0]],
    [
      'NUL in the model',
      String.raw`{"model_id":"a\u0000","request_payload":{"entries":["C"]}}`,
      ['body', 'model_id'],
    ],
    [
      'a text for has_header',
      '{"model_id":"x","request_payload":{"entries":["C"],"has_header":"maybe"}}',
      ['body', 'request_payload', 'has_header'],
    ],
    [
      'a prototype key',
      '{"__proto__":{"admin":true},"model_id":"x","request_payload":{"entries":["C"]}}',
      ['body'],
    ],
  ])('%s: 422 that names the field', async (_, body, loc) => {
    const answer = await submit(body);
    expect(answer.status).toBe(422);
    expect(answer.json.detail[0].loc).toEqual(loc);
  });

  it.each(['latin1', 'utf16le'] as const)(
    'JSON in %s: 422 that says so, no letter taken for another',
    async (encoding) => {
      const bytes = Buffer.from(withEntries('["CCO,caf\u00e9"]'), encoding);
      const answer = await api.call('POST', '/api/work-requests', {
        token,
        body: bytes,
        headers: { 'content-type': 'application/json' },
      });
      const [fault] = answer.json.detail;
      expect([answer.status, fault.loc]).toEqual([422, ['body']]);
      expect(fault.msg).toContain('UTF-8');
    },
  );

  it('takes 10,000 levels of nesting for what they are', async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = open.repeat(10_000) + (open === '[' ? '' : '1') + close.repeat(10_000);
      for (const body of [deep, withEntries(deep), withEntries(`[${deep}]`), `{"model_id":${deep}}`]) {
        const answer = await submit(body);
        expectSound(answer);
        expect(answer.status).toBe(422);
      }
    }
  });

  it('refuses four million numbers as quickly as one', async () => {
    const startedAt = performance.now();
    const answer = await submit(withEntries(`[${'1,'.repeat(3_500_000)}1]`));
    expect(answer.status).toBe(422);
    expect(answer.json.detail).toHaveLength(1);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=x', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['cursor=x', 'cursor'],
    ['cursor=-1', 'cursor'],
    ['request_date_from=yesterday', 'request_date_from'],
    ['request_date_to=2026-02-31', 'request_date_to'],
    ['request_date_to=2026-01-01T25:00', 'request_date_to'],
    ['request_date_from=0000-01-01', 'request_date_from'],
    ['id=1&id=2', 'id'],
    ['model_ids=a%00b', 'model_ids'],
    ['user_id=%00', 'user_id'],
  ])('the filter %s: 422 that names %s', async (query, field) => {
    const answer = await api.call('GET', `/api/work-requests?${query}`, { token });
    expect(answer.status).toBe(422);
    expect(answer.json.detail[0].loc.slice(0, 2)).toEqual(['query', field]);
  });

  it('survives any JSON as a submission', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 6, stringUnit: 'binary' }), async (body) =>
        expectSound(await submit(body)),
      ),
      { numRuns: 60 },
    );
  });

  it('survives any field in the place of any other', async () => {
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(null, '', 'undefined', 1e308, -0, [], {}, ['\u0000'], '\ud800', 'x'.repeat(10_000)),
    );
    const record = fc.record(
      {
        model_id: fc.oneof(fc.constant('eos-physchem'), odd),
        request_payload: fc.oneof(
          fc.record(
            {
              entries: fc.oneof(fc.array(fc.string({ unit: 'binary' }), { maxLength: 8 }), odd),
              has_header: fc.oneof(fc.boolean(), odd),
              cache_opt_in: fc.oneof(fc.boolean(), odd),
              column: fc.oneof(fc.string({ unit: 'binary' }), odd),
            },
            { requiredKeys: [] },
          ),
          odd,
        ),
      },
      { requiredKeys: [] },
    );
    const paths = fc.constantFrom('/api/work-requests', '/api/work-requests/check', '/api/auth/login');
    await fc.assert(
      fc.asyncProperty(paths, record, async (path, body) =>
        expectSound(await post(path, JSON.stringify(body))),
      ),
      { numRuns: 150 },
    );
  });

  it('survives any bytes as a raw body, and rows that look like input', async () => {
    const types = fc.constantFrom(
      'text/csv',
      'text/tab-separated-values',
      'chemical/x-daylight-smiles',
      'text/plain',
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(
          fc.constantFrom('CCO', ',', '\t', ';', '"', '\n', '\r\n', '|', ' ', 'smiles', '😀', '\uFEFF', 'é'),
          { maxLength: 40 },
        )
        .map((parts) => new TextEncoder().encode(parts.join(''))),
    );
    const query = fc.constantFrom(
      '',
      '&header=yes',
      '&header=no',
      '&column=1',
      '&column=smiles',
      '&header=perhaps',
    );
    await fc.assert(
      fc.asyncProperty(bytes, types, query, async (body, type, more) => {
        const path = `/api/work-requests?model_id=eos-physchem${more}`;
        expectSound(await api.call('POST', path, { token, body, headers: { 'content-type': type } }));
      }),
      { numRuns: 120 },
    );
  });

  it('survives any query and any path', async () => {
    const names = fc.constantFrom(
      'id',
      'limit',
      'cursor',
      'model_ids',
      'request_statuses',
      'request_date_from',
      'format',
      'bom',
      '__proto__',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('%', '%ff', '%00', '../..', '0x10', '1e9', "'; drop table model; --"),
    );
    const encode = (value: string) =>
      value.startsWith('%') ? value : encodeURIComponent(value.toWellFormed());
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(names, text), { maxLength: 4 }), text, async (query, id) => {
        const search = query.map(([name, value]) => `${name}=${encode(value)}`).join('&');
        for (const path of [
          '/api/work-requests',
          `/api/work-requests/${encode(id)}`,
          `/api/models/${encode(id)}`,
        ])
          expectSound(await api.call('GET', `${path}?${search}`, { token }));
      }),
      { numRuns: 80 },
    );
  });

  it('survives any Authorization header', async () => {
    const header = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.constantFrom('Bearer ', 'ErsiliaUser ', 'ErsiliaAnonymous ', 'Basic '), fc.base64String())
        .map((parts) => parts.join('')),
      fc.json().map((json) => `ErsiliaUser ${Buffer.from(json).toString('base64')}`),
    );
    await fc.assert(
      fc.asyncProperty(header, async (authorization) => {
        const answer = await api.call('GET', '/api/models', {
          headers: { authorization: authorization.trim() },
        });
        expect(answer.status).toBe(401);
        expect(answer.json).toEqual({ detail: 'Unauthenticated' });
      }),
      { numRuns: 80 },
    );
  });
});
