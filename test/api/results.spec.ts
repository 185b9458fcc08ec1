import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { finishRequest, type RowAnswer } from '../support/finished-request.js';
import { startApi, type RunningApi } from '../support/running-api.js';

/** Rows out: who sees what, in which shape. Results are written by the spec as a worker would. */
describe('results', () => {
  let api: RunningApi;
  let token: string;
  let admin: string;
  beforeAll(async () => {
    api = await startApi();
    token = await api.guest();
    admin = (await api.user({ admin: true })).token;
  });
  afterAll(() => api.stop());

  const submit = async (body: string, by = token): Promise<number> => {
    const headers = { 'content-type': 'text/csv' };
    return (await api.call('POST', '/api/work-requests?model_id=eos-physchem', { token: by, body, headers }))
      .json.id;
  };
  const length = (row: readonly string[], index: number): RowAnswer => {
    const smiles = row.at(-1) ?? '';
    if (smiles === 'bad') return { values: null, key: null, status: 'invalid' };
    return { values: [smiles.length, index % 2 === 0, null], key: `KEY${index}`, status: 'ok' };
  };
  const columns = ['size', 'even', 'nothing'];
  const finished = async (body: string) => {
    const id = await submit(body);
    await finishRequest(api.parts.database, id, columns, length);
    return id;
  };

  it('gives the result only when it is asked for and there', async () => {
    const id = await submit('name,smiles\na,CCO\n');
    expect(
      (await api.call('GET', `/api/work-requests/${id}?include_result=true`, { token })).json.result,
    ).toBeNull();
    await finishRequest(api.parts.database, id, columns, length);
    expect((await api.call('GET', `/api/work-requests/${id}`, { token })).json).toMatchObject({
      request_status: 'COMPLETED',
      result: null,
      request_payload: { entries: ['name,smiles', 'a,CCO'], has_header: true },
    });
    expect(
      (await api.call('GET', `/api/work-requests/${id}?include_result=True`, { token })).json.result,
    ).toHaveLength(2);
  });

  it('gives others than admins lines of CSV, and admins objects unless they ask for CSV', async () => {
    const id = await finished('name,smiles\n"a, b",CCO\nc,bad\n');
    const lines = [
      'key,input,name,size,even,nothing,status',
      'KEY0,CCO,"a, b",3,true,,ok',
      ',bad,c,,,,invalid',
    ];
    const get = async (query: string, by: string) =>
      (await api.call('GET', `/api/work-requests/${id}?include_result=true${query}`, { token: by })).json
        .result;
    expect(await get('', token)).toEqual(lines);
    expect(await get('&csv_result=false', token)).toEqual(lines);
    expect(await get('&csv_result=True', admin)).toEqual(lines);
    expect(await get('', admin)).toEqual([{ size: 3, even: true, nothing: null }, null]);
  });

  it.each([
    ['csv', 'text/csv', 'key,input,size,even,nothing,status\r\nKEY0,CCO,3,true,,ok\r\n'],
    [
      'tsv',
      'text/tab-separated-values',
      'key\tinput\tsize\teven\tnothing\tstatus\nKEY0\tCCO\t3\ttrue\t\tok\n',
    ],
    [
      'ndjson',
      'application/x-ndjson',
      '{"key":"KEY0","input":"CCO","size":3,"even":true,"nothing":null,"status":"ok"}\n',
    ],
  ])('gives the table as %s, by format and by Accept, as a file with a name', async (format, type, text) => {
    const id = await finished('CCO\n');
    const byFormat = await api.call('GET', `/api/work-requests/${id}?format=${format}`, { token });
    const byAccept = await api.call('GET', `/api/work-requests/${id}`, {
      token,
      headers: { accept: `${type}, */*;q=0.1` },
    });
    expect(byFormat.text).toBe(text);
    expect(byAccept.text).toBe(text);
    expect(byFormat.headers.get('content-type')).toContain(type);
    expect(byFormat.headers.get('content-disposition')).toBe(
      `attachment; filename="eos-physchem-${id}-result.${format}"`,
    );
  });

  it('gives the table as a JSON list, and a byte-order mark when asked', async () => {
    const id = await finished('CCO\n');
    expect((await api.call('GET', `/api/work-requests/${id}?format=json`, { token })).json).toEqual([
      { key: 'KEY0', input: 'CCO', size: 3, even: true, nothing: null, status: 'ok' },
    ]);
    const response = await fetch(`${api.url}/api/work-requests/${id}?format=csv&bom=true`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(new Uint8Array(await response.arrayBuffer()).slice(0, 3)).toEqual(
      new Uint8Array([0xef, 0xbb, 0xbf]),
    );
  });

  it('gives every row of many shards in order, as table and in the shape of the contract', async () => {
    const rows = Array.from({ length: 5_300 }, (_, index) => 'C'.repeat((index % 40) + 1));
    const id = await finished(rows.join('\n'));
    const table = parse((await api.call('GET', `/api/work-requests/${id}?format=csv`, { token })).text, {
      columns: true,
    });
    expect(table.map((row) => (row as { input: string }).input)).toEqual(rows);
    expect(table.map((row) => Number((row as { size: string }).size))).toEqual(
      rows.map(({ length: size }) => size),
    );
    const { json } = await api.call('GET', `/api/work-requests/${id}?include_result=true`, { token });
    expect(json.result).toHaveLength(5_301);
    expect(json.request_payload.entries).toEqual([]);
  });

  it('refuses the table of an unfinished request, and gives a failed one with the rows that were computed', async () => {
    const rows = Array.from({ length: 1_500 }, () => 'CCO');
    const id = await submit(rows.join('\n'));
    const early = await api.call('GET', `/api/work-requests/${id}?format=csv`, { token });
    expect(early.status).toBe(409);
    expect(early.json.detail).toContain('QUEUED');
    await finishRequest(api.parts.database, id, columns, length, { move: 'fail', shards: 1 });
    const shown = await api.call('GET', `/api/work-requests/${id}?include_result=true`, { token });
    expect(shown.json).toMatchObject({
      request_status: 'FAILED',
      request_status_reason: 'The model said no.',
      result: null,
    });
    const lines = (await api.call('GET', `/api/work-requests/${id}?format=csv`, { token })).text
      .trim()
      .split('\r\n');
    expect(lines).toHaveLength(1_501);
    expect([lines[1_000], lines[1_001]]).toEqual(['KEY999,CCO,3,false,,ok', ',CCO,,,,not_run']);
  });

  it('gives the input back as CSV', async () => {
    const id = await submit('name;smiles\n"a;b";CCO\nc;CCN\n');
    const answer = await api.call('GET', `/api/work-requests/${id}/input`, { token });
    expect(answer.text).toBe('name,smiles\r\na;b,CCO\r\nc,CCN\r\n');
  });

  it('shows everybody only their own requests, and admins all', async () => {
    const id = await finished('CCO\n');
    const stranger = await api.guest();
    for (const path of ['', '?format=csv', '/input', '/events', '/workflow']) {
      const answer = await api.call('GET', `/api/work-requests/${id}${path}`, { token: stranger });
      expect([answer.status, answer.json]).toEqual([
        404,
        { detail: `Failed to load request with id [${id}]` },
      ]);
    }
    expect((await api.call('POST', `/api/work-requests/${id}/cancel`, { token: stranger })).status).toBe(404);
    expect((await api.call('GET', `/api/work-requests?id=${id}`, { token: stranger })).json.items).toEqual(
      [],
    );
    expect((await api.call('GET', `/api/work-requests/${id}`, { token: admin })).status).toBe(200);
    expect((await api.call('GET', `/api/work-requests?id=${id}`, { token: admin })).json.items).toHaveLength(
      1,
    );
  });

  it('X-A4: finds one request for an admin only if it is of the user who is named, and lets others name nobody', async () => {
    const owner = await api.user();
    const id = await submit('CCO\n', owner.token);
    const get = async (query: string, by: string) => {
      const { status, json } = await api.call('GET', `/api/work-requests/${id}?${query}`, { token: by });
      return [status, json.detail ?? json.id];
    };
    const missing = [404, `Failed to load request with id [${id}]`];
    expect(await get(`user_id=${owner.userId}`, admin)).toEqual([200, id]);
    expect(await get('user_id=', admin)).toEqual([200, id]);
    expect(await get('user_id=somebody-else', admin)).toEqual(missing);
    expect(await get('user_id=somebody-else&format=csv', admin)).toEqual(missing);
    expect(await get('user_id=somebody-else', owner.token)).toEqual([200, id]);
    expect(await get(`user_id=${owner.userId}`, token)).toEqual(missing);
  });

  it('pages the list by cursor, newest first, none twice and none left out', async () => {
    const mine = await api.guest();
    const ids: number[] = [];
    for (let count = 0; count < 7; count++) ids.push(await submit('CCO\n', mine));
    const seen: number[] = [];
    for (let cursor = ''; ;) {
      const { json } = await api.call('GET', `/api/work-requests?limit=3&cursor=${cursor}`, { token: mine });
      seen.push(...json.items.map(({ id }: { id: number }) => id));
      if (json.next_cursor === null) break;
      cursor = json.next_cursor;
    }
    expect(seen).toEqual(ids.toReversed());
  });

  it('filters the list, and takes cleared filters as not given', async () => {
    const mine = await api.guest();
    const id = await submit('CCO\n', mine);
    const ids = async (query: string) =>
      (await api.call('GET', `/api/work-requests?${query}`, { token: mine })).json.items.map(
        (item: { id: number }) => item.id,
      );
    expect(await ids('model_ids=eos-physchem&model_ids=eos-x')).toEqual([id]);
    expect(await ids('model_ids=eos-x')).toEqual([]);
    expect(await ids('request_statuses=QUEUED')).toEqual([id]);
    expect(await ids('request_statuses=COMPLETED&request_statuses=FAILED')).toEqual([]);
    expect(await ids('id=&user_id=undefined&request_date_from=undefined&model_ids=')).toEqual([id]);
    expect(await ids('user_id=somebody-else')).toEqual([id]);
    expect(await ids('request_date_from=2020-01-01T00:00:00.000Z&request_date_to=2999-01-01')).toEqual([id]);
    expect(await ids('request_date_to=2020-01-01')).toEqual([]);
    expect(await ids('id=abc')).toEqual([]);
  });

  it('cancels once, says so again, and refuses what ended otherwise', async () => {
    const id = await submit('CCO\n');
    for (let time = 0; time < 2; time++) {
      const answer = await api.call('POST', `/api/work-requests/${id}/cancel`, { token });
      expect([answer.status, answer.json.request_status]).toEqual([200, 'CANCELLED']);
    }
    const completed = await finished('CCO\n');
    const late = await api.call('POST', `/api/work-requests/${completed}/cancel`, { token });
    expect(late.status).toBe(409);
    expect(late.json.detail).toContain('COMPLETED');
    const [statistics] = await api.parts.database.rows<{ n: number }>(
      'select count(*) as n from request_statistic where request_id = $1',
      [id],
    );
    expect(statistics!.n).toBe(1);
  });

  it('tells from the rows where a request stands while no workflow answers, within two seconds', async () => {
    const id = await submit('CCO\n');
    const startedAt = performance.now();
    const { json } = await api.call('GET', `/api/work-requests/${id}/workflow`, { token });
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    expect(json).toMatchObject({ phase: 'starting', stale: true, instance_ids: [], temporal_url: null });
    await finishRequest(api.parts.database, id, columns, length);
    expect((await api.call('GET', `/api/work-requests/${id}/workflow`, { token })).json).toMatchObject({
      phase: 'finished',
      stale: false,
    });
  });

  it.each(['0', '-1', 'abc', '99999999999999999999', '1e3', '%00', '1.5', '999999999'])(
    'knows no request %s',
    async (id) => {
      const answer = await api.call('GET', `/api/work-requests/${id}`, { token });
      expect([404, 422]).toContain(answer.status);
    },
  );
});
