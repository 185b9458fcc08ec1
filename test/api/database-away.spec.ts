import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWith } from '../support/require-part.js';
import { startApi, type RunningApi } from '../support/running-api.js';
import { startTestPostgres, templateDatabase, type TestPostgres } from '../support/test-postgres.js';

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

/** The longest that a call may wait: for a connection of the pool, and then for an answer on it. */
const LONGEST_MS = 2 * (1_000 + 1_000);

describeWith('postgres')('a database that is frozen', () => {
  let postgres: TestPostgres;
  let api: RunningApi;
  beforeAll(async () => {
    postgres = await startTestPostgres();
    api = await startApi({
      DATABASE_URL: postgres.adminUrl.replace(/postgres$/, templateDatabase),
      DATABASE_POOL_MAX_SIZE: 3,
      DATABASE_STATEMENT_TIMEOUT_MS: 1_000,
    });
  }, 60_000);
  afterAll(async () => {
    await api?.stop();
    await postgres?.stop();
  });

  /** Statements on the pool, in transactions and of the ORM. */
  const ask = async (token: string) => {
    const { database } = api.parts;
    const calls = [
      ...Array.from({ length: 4 }, () => api.call('GET', '/api/work-requests', { token })),
      ...Array.from({ length: 4 }, () => api.call('POST', '/api/auth/anonymous-login')),
    ];
    const own = [
      database.entityManager().getConnection().execute('select 1'),
      database.transaction((sql) => sql.rows('select 1')),
    ];
    const startedAt = performance.now();
    const answers = await Promise.all(calls);
    const took = performance.now() - startedAt;
    return { answers, took, own: (await Promise.allSettled(own)).map(({ status }) => status) };
  };
  const statuses = (answers: readonly { readonly status: number }[]) => [
    ...new Set(answers.map(({ status }) => status)),
  ];

  it('makes every call answer 503 in bounded time while the process goes on, and is used again when it thaws', async () => {
    const token = await api.guest();
    const before = await ask(token);
    expect([statuses(before.answers), before.own]).toEqual([[200], ['fulfilled', 'fulfilled']]);
    const thaw = postgres.freeze();
    try {
      let isAnswered = false;
      const asked = ask(token).finally(() => (isAnswered = true));
      expect((await api.call('GET', '/livez')).status).toBe(200);
      expect(isAnswered).toBe(false);
      expect((await api.call('GET', '/readyz')).json.parts.database.ok).toBe(false);
      const { answers, took, own } = await asked;
      expect([statuses(answers), own]).toEqual([[503], ['rejected', 'rejected']]);
      expect(took).toBeLessThan(LONGEST_MS + 1_000);
      expect(answers[0]!.json.detail).toMatch(/^The database is not reachable/);
    } finally {
      thaw();
    }
    const after = await ask(token);
    expect([statuses(after.answers), after.own]).toEqual([[200], ['fulfilled', 'fulfilled']]);
    expect(after.took).toBeLessThan(LONGEST_MS);
  }, 30_000);

  it('leaves no connection in the pool on which a statement was given up', async () => {
    const { database } = api.parts;
    const [first] = await database.rows<{ pid: number }>('select pg_backend_pid() as pid');
    const thaw = postgres.freeze();
    // The ORM gives its connection back whatever became of the statement.
    await expect(database.entityManager().getConnection().execute('select 1')).rejects.toThrow(
      'Query read timeout',
    );
    thaw();
    const [second] = await database.rows<{ pid: number }>('select pg_backend_pid() as pid');
    expect(second!.pid).not.toBe(first!.pid);
  });
});
