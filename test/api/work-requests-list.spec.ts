import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { SignedIn } from '../../api/auth/signed-in.js';
import { listStatement } from '../../api/work-requests/list-statement.js';
import { WorkRequestFilter } from '../../api/work-requests/work-requests.dto.js';
import type { Database } from '../../db/database.js';
import { makeModel } from '../factories/make-model.js';
import { openTestDatabase } from '../support/open-test-database.js';
import { describeWith } from '../support/require-part.js';

const COUNT = 20_000;
/** Of some 1,000 that the table has: those of a page, and of what a time is looked up by. */
const MOST_BLOCKS = 250;
const admin = { userId: 'admin', kind: 'registered', permissions: ['ADMIN'] } as unknown as SignedIn;
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

/** Pages of the list of requests, as the database reads them. */
describeWith('postgres')('the list of requests over thirty days', () => {
  let database: Database;
  beforeAll(async () => {
    database = await openTestDatabase();
    const { id } = await makeModel(database);
    // Times differ from the order of ids by minutes, as those of processes that write at once may.
    await database.rows(
      `insert into work_request (user_id, user_kind, session_id, model_id, expires_on, state, created_at)
       select 'user-' || number % 2, 'guest', 'session', $1, 'tomorrow',
         case when number > ${COUNT - 40} then 'SCHEDULING' when number % 400 = 0 then 'FAILED' else 'COMPLETED' end,
         now() - (${COUNT} - number) * interval '30 days' / ${COUNT} - (number % 7) * interval '5 minutes'
         from generate_series(1, ${COUNT}) number`,
      [id],
    );
    await database.rows(`analyze work_request`);
  });
  afterAll(() => database.close());

  const statementOf = (query: Record<string, unknown>) =>
    listStatement(WorkRequestFilter.parse(query), admin);

  it.each([
    ['all', {}],
    ['those that failed', { request_statuses: ['FAILED'] }],
    ['those of a state that none is in', { request_statuses: ['QUEUED'] }],
    ['those of a user that were cancelled', { user_id: 'user-1', request_statuses: ['CANCELLED'] }],
    ['those from before two weeks ago', { request_date_to: daysAgo(14) }],
    ['those of an hour two weeks ago', { request_date_from: daysAgo(14), request_date_to: daysAgo(13.96) }],
    ['those of a user from before two weeks ago', { user_id: 'user-1', request_date_to: daysAgo(14) }],
  ])('shows %s without reading much more', async (_, query) => {
    const { text, params } = statementOf(query);
    const explained = { text: `explain (analyze, buffers, timing off, format json) ${text}`, params };
    const [found] = await database.composed<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(explained);
    const { 'Shared Hit Blocks': hit, 'Shared Read Blocks': read } = found!['QUERY PLAN'][0].Plan;
    expect(hit! + read!).toBeLessThan(MOST_BLOCKS);
  });

  it('shows all of a span of time, in the order of their ids', async () => {
    const [from, to] = [daysAgo(14), daysAgo(13.6)];
    const expected = await database.rows<{ id: number }>(
      `select id from work_request where created_at >= $1 and created_at <= $2 order by id desc`,
      [from, to],
    );
    expect(expected.length).toBeGreaterThan(200);
    const query = { request_date_from: from, request_date_to: to, limit: 500 };
    const shown = await database.composed<{ id: number }>(statementOf(query));
    expect(shown.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
  });
});
