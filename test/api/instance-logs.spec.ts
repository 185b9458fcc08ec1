import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { compressText } from '../../db/compressed-text.js';
import { releaseLease } from '../../db/queries/leases.js';
import { chooseLines, linesWithin } from '../../domain/instance/log-lines.js';
import { HostUnavailableError, type LogOptions } from '../../hosts/model-host.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel } from '../factories/make-model.js';
import { makeRequest } from '../factories/make-request.js';
import { describeWith } from '../support/require-part.js';
import { startApi, type RunningApi } from '../support/running-api.js';

/** Logs over HTTP. What the host says of running instances is played here; the hosts' own specs read real ones. */
describeWith('postgres')('logs of instances over HTTP', () => {
  let api: RunningApi;
  let token: string;
  let modelId: string;
  const live = new Map<string, string>();
  const asked: LogOptions[] = [];
  let isAway = false;
  beforeAll(async () => {
    api = await startApi(
      {},
      {
        logReader: {
          async readLogs(instanceId, options = {}) {
            if (isAway) throw new HostUnavailableError('the socket does not answer');
            asked.push(options);
            const { since = null, until = null, tailLines: tail, headLines: head } = options;
            const log = live.get(instanceId);
            if (log === undefined) return null;
            const lines = chooseLines(linesWithin(log, { since, until }), { tail, head });
            return lines.map((text) => `${text}\n`).join('');
          },
          async *followLogs() {
            // Followed logs have a spec of their own.
          },
          close: async () => undefined,
        },
      },
    );
    ({ token } = await api.user({ admin: true }));
  });
  beforeEach(async () => {
    live.clear();
    asked.length = 0;
    isAway = false;
    modelId = (await makeModel(sql())).id;
  });
  afterAll(() => api.stop());

  const sql = () => api.parts.database;
  const logs = (query: string, headers: Record<string, string> = {}) =>
    api.call('GET', `/api/instances/job-logs?${query}`, { token, headers });
  const line = (at: string, text: string) => `${new Date(at).toISOString()} ${text}`;
  const keep = async (instanceId: string, lines: string[]) =>
    sql().rows(
      `insert into instance_log (expires_on, instance_id, log) select expires_on, id, $2 from model_instance where id = $1`,
      [instanceId, await compressText(lines.map((text) => `${text}\n`).join(''))],
    );

  it('X-A3: a log that there is not is 404, and that of a running instance is read anew each time', async () => {
    const missing = await logs('model_id=eos0none&work_request_id=7');
    expect([missing.status, missing.json]).toEqual([404, { detail: 'No logs found for instance' }]);
    const id = await makeInstance(sql(), { modelId });
    expect((await logs(`instance_id=${id}`)).status).toBe(404);
    live.set(id, 'first\n');
    expect((await logs(`instance_id=${id}`)).json).toEqual({ logs: ['first'] });
    live.set(id, 'first\nsecond\n');
    expect((await logs(`instance_id=${id}`)).json).toEqual({ logs: ['first', 'second'] });
  });

  it('an ended instance has the log that was kept, whatever its host still says', async () => {
    const id = await makeInstance(sql(), { modelId, state: 'TERMINATED' });
    live.set(id, 'of another pod of the same name\n');
    await keep(id, ['one', 'two', 'three']);
    const get = async (more: string) => (await logs(`instance_id=${id}${more}`)).json.logs;
    expect(await get('')).toEqual(['one', 'two', 'three']);
    expect(await get('&tail=1')).toEqual(['three']);
    expect(await get('&head=2')).toEqual(['one', 'two']);
    expect(await get('&head=2&tail=2')).toEqual(['two', 'three']);
    const file = await logs(`instance_id=${id}`, { accept: 'text/plain' });
    expect(file.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(file.text).toBe('one\ntwo\nthree\n');
    expect(file.headers.get('content-disposition')).toBeNull();
  });

  it('a log is downloaded by a plain link, as a file with a name of its own', async () => {
    const id = await makeInstance(sql(), { modelId, state: 'TERMINATED' });
    const request = await makeRequest(sql(), { modelId });
    await makeLease(sql(), request, id);
    await sql().rows(`update instance_lease set granted_at = '2026-01-01' where instance_id = $1`, [id]);
    await keep(
      id,
      ['one', 'two'].map((text) => line('2026-01-02', text)),
    );
    const lines = `${line('2026-01-02', 'one')}\n${line('2026-01-02', 'two')}\n`;
    // As a browser asks for a link.
    const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
    for (const [path, name] of [
      [`job-logs?instance_id=${id}`, `instance-${id}-log.txt`],
      [`${id}/logs?tail=2`, `instance-${id}-log.txt`],
      [
        `job-logs?model_id=${modelId}&work_request_id=${request.requestId}`,
        `${modelId}-${request.requestId}-log.txt`,
      ],
    ] as const) {
      const file = await api.call('GET', `/api/instances/${path}&download=true`, { token, headers });
      expect([path, file.status, file.text]).toEqual([path, 200, lines]);
      expect(file.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(file.headers.get('content-disposition')).toBe(`attachment; filename="${name}"`);
    }
    const missing = await logs('instance_id=none&download=true');
    expect([missing.status, missing.json.detail]).toEqual([404, 'No logs found for instance']);
  });

  it('a request has the lines written while the instance worked for it, and nobody else’s', async () => {
    const id = await makeInstance(sql(), { modelId, state: 'TERMINATED' });
    const mine = await makeRequest(sql(), { modelId });
    const theirs = await makeRequest(sql(), { modelId });
    for (const [request, from, to] of [
      [theirs, '2026-01-01T00:00:00Z', '2026-01-01T00:00:10Z'],
      [mine, '2026-01-01T00:00:11Z', '2026-01-01T00:00:20Z'],
    ] as const) {
      const { leaseToken } = await makeLease(sql(), request, id);
      await sql().transaction((tx) => releaseLease(tx, leaseToken, { outcome: 'finished' }));
      await sql().rows(`update instance_lease set granted_at = $2, released_at = $3 where lease_token = $1`, [
        leaseToken,
        from,
        to,
      ]);
    }
    const [before, own, after] = [
      line('2026-01-01T00:00:05Z', 'theirs'),
      line('2026-01-01T00:00:15Z', 'mine'),
      line('2026-01-01T00:00:25Z', 'idle'),
    ];
    await keep(id, [before, own, '  and its second line', after]);
    const answer = await logs(`model_id=${modelId}&work_request_id=${mine.requestId}`);
    expect(answer.json).toEqual({ logs: [own, '  and its second line'] });
  });

  it('the host of a running instance is asked for no more than is wanted', async () => {
    const id = await makeInstance(sql(), { modelId });
    const lines = [5, 15, 25].map((second) =>
      line(`2026-01-01T00:00:${second}Z`.replace(':5Z', ':05Z'), 'said'),
    );
    live.set(id, lines.map((text) => `${text}\n`).join(''));
    const get = async (query: string) => (await logs(`instance_id=${id}&${query}`)).json.logs;
    expect(await get('since=2026-01-01T00:00:10Z&until=2026-01-01T02:00:20%2B02:00')).toEqual([lines[1]]);
    expect(await get('tail=2&head=1')).toEqual(lines.slice(1));
    expect(await get('head=1')).toEqual(lines.slice(0, 1));
    expect(asked).toEqual([
      { since: '2026-01-01T00:00:10.000Z', until: '2026-01-01T00:00:20.000Z' },
      { tailLines: 2 },
      { headLines: 1 },
    ]);
    const path = await api.call('GET', `/api/instances/${id}/logs?tail=1`, { token });
    expect(path.json).toEqual({ logs: lines.slice(2) });
    expect((await logs('instance_id=x&since=yesterday')).status).toBe(422);
  });

  it('of a request that used several instances the last lines come from the last of them', async () => {
    const request = await makeRequest(sql(), { modelId });
    for (const [minute, words] of [
      ['01', ['a', 'b']],
      ['02', ['c', 'd']],
    ] as const) {
      const id = await makeInstance(sql(), { modelId });
      const { leaseToken } = await makeLease(sql(), request, id);
      await sql().rows(
        `update instance_lease set state = 'RELEASED', granted_at = $2, released_at = $3 where lease_token = $1`,
        [leaseToken, `2026-01-01T00:${minute}:00Z`, `2026-01-01T00:${minute}:30Z`],
      );
      live.set(id, words.map((word) => `${line(`2026-01-01T00:${minute}:15Z`, word)}\n`).join(''));
    }
    const get = async (query: string) => {
      const { json } = await logs(`model_id=${modelId}&work_request_id=${request.requestId}${query}`);
      return json.logs.map((text: string) => text.at(-1)).join('');
    };
    expect([await get(''), await get('&tail=3'), await get('&head=3'), await get('&tail=1')]).toEqual([
      'abcd',
      'bcd',
      'abc',
      'd',
    ]);
    expect(asked).toHaveLength(7);
  });

  it('too little said is 400, a wrong number 422, other people 403', async () => {
    const little = await logs(`model_id=${modelId}`);
    expect([little.status, little.json.detail]).toEqual([400, 'Missing work_request_id or model_id filter']);
    const wrong = await logs('instance_id=x&tail=-1');
    expect([wrong.status, wrong.json.detail[0].loc]).toEqual([422, ['query', 'tail']]);
    const guest = await api.call('GET', '/api/instances/job-logs?instance_id=x', {
      token: await api.guest(),
    });
    expect(guest.status).toBe(403);
  });

  it('a host that does not answer is 503 in words, not an empty log', async () => {
    const id = await makeInstance(sql(), { modelId });
    isAway = true;
    const answer = await logs(`instance_id=${id}`);
    expect([answer.status, answer.json.detail]).toEqual([
      503,
      `The host of instance ${id} can not be asked for its log: the socket does not answer`,
    ]);
  });
});
