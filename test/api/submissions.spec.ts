import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decompressText } from '../../db/compressed-text.js';
import { readShardInput } from '../../domain/work-request/shard-content.js';
import { startApi, type RunningApi } from '../support/running-api.js';
import { waitUntil } from '../support/wait-until.js';

const model = 'eos-physchem';

/** Molecules in: both ways of sending, what is stored, what is refused. Temporal is away the whole time. */
describe('submissions', () => {
  let api: RunningApi;
  let token: string;
  beforeAll(async () => {
    api = await startApi({ GUEST_MAX_ROWS: 2_000 });
    token = await api.guest();
  });
  afterAll(() => api.stop());

  const submit = (entries: readonly string[], payload: object = {}) =>
    api.call('POST', '/api/work-requests', {
      token,
      body: { model_id: model, request_payload: { entries, ...payload } },
    });
  const submitRaw = (body: string | Uint8Array, type = 'text/csv', query = '') =>
    api.call('POST', `/api/work-requests?model_id=${model}${query}`, {
      token,
      body,
      headers: { 'content-type': type },
    });
  const storedRows = async (id: number) => {
    const shards = await api.parts.database.rows<{ input: Buffer; first_row: number; row_count: number }>(
      `select s.input, s.first_row, s.row_count from work_request r join work_request_shard s
         on s.expires_on = r.expires_on and s.request_id = r.id where r.id = $1 order by shard_no`,
      [id],
    );
    const texts = await Promise.all(shards.map(({ input }) => decompressText(input)));
    return texts.flatMap((text) => readShardInput(text).rows);
  };

  it('accepts with 200 while Temporal is away, and stores request, shard and first event', async () => {
    const answer = await submit(['CCO', 'c1ccccc1']);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      model_id: model,
      request_status: 'QUEUED',
      request_payload: { entries: ['CCO', 'c1ccccc1'], has_header: false, cache_opt_in: false },
      input_size: 2,
      result: null,
      metadata: { job_data: { model_version: null } },
      progress: { rows: 2, shards: 1, version: 1 },
    });
    expect(await storedRows(answer.json.id)).toEqual([['CCO'], ['c1ccccc1']]);
    const events = await api.parts.database.rows(
      'select type, event_no, details from work_request_event where request_id = $1',
      [answer.json.id],
    );
    expect(events).toEqual([{ type: 'submitted', event_no: 1, details: { rows: 2 } }]);
  });

  it('fixes the day of expiry by the clock of the database and the kind of user', async () => {
    const user = await api.user();
    const body = { model_id: model, request_payload: { entries: ['CCO'] } };
    const { json } = await api.call('POST', '/api/work-requests', { token: user.token, body });
    const [row] = await api.parts.database.rows(
      'select expires_on - created_at::date as days, user_kind from work_request where id = $1',
      [json.id],
    );
    expect(row).toEqual({ days: 7, user_kind: 'registered' });
  });

  it.each([
    ['lines without a header', 'CCO\nCCN\nCCC', []],
    ['CRLF and two columns', 'inchikey,smiles\r\nA,CCO\r\nB,CCN\r\nC,CCC\r\n', []],
    ['a byte-order mark and semicolons', '\uFEFFname;smiles\nx;CCO\ny;CCN\nz;CCC\n', []],
    ['quoted commas', 'name,smiles\n"a, b",CCO\n"c ""d""",CCN\nz,CCC\n', []],
  ])('reads %s alike as a raw body and as entries', async (_, text) => {
    const raw = await submitRaw(text);
    const entries = await submit(text.replace(/\r?\n$/, '').split(/\r?\n/));
    expect([raw.status, entries.status]).toEqual([200, 200]);
    const rows = await storedRows(raw.json.id);
    expect(rows).toEqual(await storedRows(entries.json.id));
    expect(rows.map((row) => row.at(-1))).toEqual(['CCO', 'CCN', 'CCC']);
    expect(raw.json.verdict).toEqual(entries.json.verdict);
  });

  it('reads a .smi body with names', async () => {
    const answer = await submitRaw('CCO ethanol, pure\nCCN ethyl amine\n', 'chemical/x-daylight-smiles');
    expect(await storedRows(answer.json.id)).toEqual([
      ['CCO', 'ethanol, pure'],
      ['CCN', 'ethyl amine'],
    ]);
  });

  it('never drops a first molecule silently, and drops a header when told to', async () => {
    expect((await submit(['CCO', 'CCN'])).json.progress.rows).toBe(2);
    expect((await submit(['CCO', 'CCN'], { has_header: true })).json.progress.rows).toBe(1);
    expect((await submitRaw('CCO\nCCN\n', 'text/csv', '&header=yes')).json.progress.rows).toBe(1);
    expect((await submitRaw('smiles\nCCO\n', 'text/csv', '&header=no')).json.progress.rows).toBe(2);
  });

  it('takes the column the caller names, by name or number, and names the field when there is none', async () => {
    const text = 'a,b\nCCO,CCN\n';
    expect((await submitRaw(text, 'text/csv', '&column=b')).json.verdict.column).toEqual({
      index: 1,
      name: 'b',
    });
    expect((await submitRaw(text, 'text/csv', '&column=2&header=yes')).json.verdict.column.index).toBe(1);
    const wrong = await submitRaw(text, 'text/csv', '&column=c');
    expect(wrong.status).toBe(422);
    expect(wrong.json.detail[0].loc).toEqual(['query', 'column']);
    expect((await submit(['a,b', 'CCO,CCN'], { column: 'c' })).json.detail[0].loc).toEqual([
      'body',
      'request_payload',
      'column',
    ]);
  });

  it('cuts wide models into shards of 200,000 values, without a gap', async () => {
    const rows = Array.from({ length: 250 }, (_, index) => `${'C'.repeat((index % 9) + 1)}`);
    const body = { model_id: 'eos-morgan', request_payload: { entries: rows } };
    const { json } = await api.call('POST', '/api/work-requests', { token, body });
    expect(json.progress.shards).toBe(3);
    expect((await storedRows(json.id)).map(([smiles]) => smiles)).toEqual(rows);
  });

  it('stores more shards than one statement takes, all or nothing', async () => {
    const registered = await api.user();
    const lines = Array.from({ length: 60_000 }, (_, index) => `C${'C'.repeat(index % 50)}`);
    const answer = await api.call('POST', `/api/work-requests?model_id=${model}`, {
      token: registered.token,
      body: lines.join('\n'),
      headers: { 'content-type': 'text/csv' },
    });
    expect(answer.json.progress).toMatchObject({ rows: 60_000, shards: 60 });
    expect(answer.json.request_payload.entries).toEqual([]);
    expect((await storedRows(answer.json.id)).map(([smiles]) => smiles)).toEqual(lines);
  });

  it('uses the texts that clients of the original know', async () => {
    const unknown = await api.call('POST', '/api/work-requests', {
      token,
      body: { model_id: 'eos0none', request_payload: { entries: ['CCO'] } },
    });
    expect([unknown.status, unknown.json]).toEqual([
      400,
      { detail: 'Invalid request body - No model with id [eos0none]' },
    ]);
    for (const entries of [[], [''], ['smiles'], ['', ' ']]) {
      const empty = await submit(entries);
      expect([empty.status, empty.json]).toEqual([
        400,
        { detail: 'Invalid request body - Empty molecules payload' },
      ]);
    }
    expect((await submitRaw('')).status).toBe(400);
  });

  it('states the limit when there are too many rows, and stores nothing', async () => {
    const count = async () =>
      (await api.parts.database.rows<{ n: number }>('select count(*) as n from work_request'))[0]!.n;
    const before = await count();
    const answer = await submit(Array.from({ length: 2_001 }, () => 'CCO'));
    expect(answer.status).toBe(400);
    expect(answer.json.detail).toContain('Invalid request body - Input Size Too Large');
    expect(answer.json.detail).toContain('2001 rows, at most 2000');
    expect(await count()).toBe(before);
  });

  it('accepts a disabled model, whose request waits', async () => {
    await api.parts.database.rows(
      `insert into model (id, enabled, image, cpu_request_millicores, cpu_limit_millicores, memory_request_mebibytes, memory_limit_mebibytes)
       values ('eos-off', false, 'x', 1, 1, 1, 1)`,
    );
    await api.parts.database.rows(`select pg_notify('hub_model', '')`);
    const isKnown = async () =>
      (await api.call('GET', '/api/models/eos-off', { token })).status === 200 || undefined;
    await waitUntil('the model', isKnown, { withinMs: 10_000, everyMs: 20 });
    const body = { model_id: 'eos-off', request_payload: { entries: ['CCO'] } };
    expect((await api.call('POST', '/api/work-requests', { token, body })).json.request_status).toBe(
      'QUEUED',
    );
  });

  it('tells what it makes of an input without storing it', async () => {
    const answer = await api.call('POST', '/api/work-requests/check', {
      token,
      body: 'id,smiles\n1,CCO\n2,not a molecule\n3,\n4,CCO\n',
      headers: { 'content-type': 'text/csv' },
    });
    expect(answer.json).toMatchObject({
      delimiter: 'comma',
      header: true,
      column: { index: 1, name: 'smiles' },
      row_count: 4,
      invalid_count: 1,
      empty_count: 1,
      duplicate_count: 1,
      judged_rows: 4,
      acceptable: true,
      refusal: null,
      row_limit: 2_000,
    });
    expect(
      answer.json.problems.map(({ line, kind }: { line: number; kind: string }) => [line, kind]),
    ).toEqual([
      [3, 'invalid'],
      [4, 'empty'],
      [5, 'duplicate'],
    ]);
  });

  it('says in a check why an input would be refused', async () => {
    const check = (body: string) =>
      api.call('POST', '/api/work-requests/check', {
        token,
        body,
        headers: { 'content-type': 'text/plain' },
      });
    const empty = await check('\n\n');
    expect(empty.status).toBe(200);
    expect(empty.json).toMatchObject({ acceptable: false, column: null, row_count: 0 });
    expect(empty.json.refusal).toMatch(/no row/);
    const tooMany = await check('CCO\n'.repeat(2_500));
    expect(tooMany.json.acceptable).toBe(false);
    expect(tooMany.json.refusal).toMatch(/2500 rows, at most 2000/);
  });

  it('refuses too many bytes with 413 at once, said or unsaid', async () => {
    const json = await api.call('POST', '/api/work-requests', {
      token,
      body: `{"model_id":"${model}","request_payload":{"entries":["${'C'.repeat(9 * 1024 * 1024)}"]}}`,
      headers: { 'content-type': 'application/json' },
    });
    expect([json.status, typeof json.json.detail]).toEqual([413, 'string']);
    const { status, sentMegabytes } = await sendChunked(100);
    expect(status).toBe(413);
    expect(sentMegabytes).toBeLessThan(75);
  });

  /** Sends megabytes of lines without saying how many, as fast as they are taken, until there is an answer. */
  const sendChunked = (megabytes: number) =>
    new Promise<{ status: number; sentMegabytes: number }>((resolve, reject) => {
      let sentMegabytes = 0;
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/csv' };
      const sending = request(`${api.url}/api/work-requests?model_id=${model}`, { method: 'POST', headers });
      sending.on('response', (answer) => {
        resolve({ status: answer.statusCode!, sentMegabytes });
        sending.destroy();
      });
      sending.on('error', reject);
      const piece = Buffer.from(`${'C'.repeat(1_023)}\n`.repeat(1_024));
      const pieces = function* () {
        for (; sentMegabytes < megabytes; sentMegabytes += 1) yield piece;
      };
      Readable.from(pieces(), { highWaterMark: 1 }).pipe(sending);
    });

  it('refuses what is no UTF-8 text, packed bodies and other media types', async () => {
    expect((await submitRaw(Buffer.from('CCO\n', 'utf16le'))).status).toBe(422);
    expect((await submitRaw(Buffer.from([0x43, 0xff, 0xfe, 0x0a]))).json.detail[0].loc).toEqual(['body']);
    expect((await submitRaw('CCO', 'application/octet-stream')).status).toBe(415);
    const packed = await api.call('POST', '/api/work-requests', {
      token,
      body: 'x',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    });
    expect(packed.status).toBe(415);
  });
});
