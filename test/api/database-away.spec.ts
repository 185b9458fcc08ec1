import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApi, type RunningApi } from '../support/running-api.js';

/** The api with a database that never was there. */
describe('a database that is away', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi({ DATABASE_URL: 'postgresql://app@127.0.0.1:1/nothing' });
  });
  afterAll(() => api.stop());

  it('does not keep the process from starting, and makes it not ready', async () => {
    expect((await api.call('GET', '/livez')).status).toBe(200);
    const ready = await api.call('GET', '/readyz');
    expect(ready.status).toBe(503);
    expect(ready.json.parts.database).toMatchObject({ ok: false, error: 'not reachable' });
  });

  it.each([
    ['POST', '/api/auth/anonymous-login', undefined],
    ['POST', '/api/auth/login', { encoding: 'YTpi', auth_type: 'ErsiliaUser' }],
    ['GET', '/api/work-requests', undefined],
    ['POST', '/api/work-requests', { model_id: 'x', request_payload: { entries: ['CCO'] } }],
  ])('makes %s %s answer 503 within a second, saying when to try again', async (method, path, body) => {
    const startedAt = performance.now();
    const answer = await api.call(method, path, { token: 'some-token', body });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(answer.json.detail).toMatch(/^The database is not reachable/);
  });
});
