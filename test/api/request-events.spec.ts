import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { moveWorkRequest, recordRequestEvent } from '../../db/queries/request-progress.js';
import { startApi, type RunningApi } from '../support/running-api.js';

interface Message {
  readonly event: string;
  readonly id: number;
  readonly data: Record<string, unknown>;
  readonly atMs: number;
}

/** The event stream of a request, read as a client would read it. */
describe('request events', () => {
  let api: RunningApi;
  let token: string;
  const open: AbortController[] = [];
  beforeAll(async () => {
    api = await startApi();
    token = await api.guest();
  });
  afterEach(() => open.splice(0).forEach((controller) => controller.abort()));
  afterAll(() => api.stop());

  const submit = async (): Promise<number> => {
    const body = { model_id: 'eos-physchem', request_payload: { entries: ['CCO'] } };
    return (await api.call('POST', '/api/work-requests', { token, body })).json.id;
  };
  const sql = () => api.parts.database;

  async function* follow(id: number, headers: Record<string, string> = {}): AsyncGenerator<Message> {
    const controller = new AbortController();
    open.push(controller);
    const response = await fetch(`${api.url}/api/work-requests/${id}/events`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
      signal: controller.signal,
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    let held = '';
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
      held += piece;
      const blocks = held.split('\n\n');
      held = blocks.pop()!;
      for (const block of blocks.filter((text) => !text.startsWith(':'))) yield toMessage(block);
    }
  }
  const toMessage = (block: string): Message => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)![1]!;
    return {
      event: field('event'),
      id: Number(field('id')),
      data: JSON.parse(field('data')),
      atMs: performance.now(),
    };
  };
  const all = async (stream: AsyncIterable<Message>) => {
    const messages: Message[] = [];
    for await (const message of stream) messages.push(message);
    return messages;
  };

  it('begins with a snapshot, tells each change as it happens, and ends with the request', async () => {
    const id = await submit();
    const stream = follow(id);
    const first = (await stream.next()).value as Message;
    expect(first).toMatchObject({ event: 'snapshot', id: 1, data: { id, request_status: 'QUEUED' } });
    await sql().transaction((inner) => moveWorkRequest(inner, id, 'plan'));
    await recordRequestEvent(sql(), id, 'waiting', { because: 'no free instance' });
    const waiting = (await stream.next()).value as Message;
    expect(waiting).toMatchObject({
      event: 'waiting',
      id: 3,
      data: { request_id: id, details: { because: 'no free instance' } },
    });
    await sql().transaction((inner) => moveWorkRequest(inner, id, 'cancel'));
    expect((await all(stream)).map(({ event, id: number }) => [event, number])).toEqual([['cancelled', 4]]);
  });

  it('tells a client that comes back what it missed, after a fresh snapshot', async () => {
    const id = await submit();
    await recordRequestEvent(sql(), id, 'waiting');
    await recordRequestEvent(sql(), id, 'running');
    await sql().transaction((inner) => moveWorkRequest(inner, id, 'cancel'));
    const messages = await all(follow(id, { 'last-event-id': '2' }));
    expect(messages.map(({ event, id: number }) => [event, number])).toEqual([
      ['snapshot', 4],
      ['running', 3],
      ['cancelled', 4],
    ]);
  });

  it('ends after the snapshot of a finished request, and takes an odd Last-Event-ID for none', async () => {
    const id = await submit();
    await sql().transaction((inner) => moveWorkRequest(inner, id, 'cancel'));
    for (const last of ['x', '-3', '999999', '1e9'])
      expect((await all(follow(id, { 'last-event-id': last }))).map(({ event }) => event)).toEqual([
        'snapshot',
      ]);
  });

  it('keeps to four events in any second, drops only progress that newer progress replaces, and loses no end', async () => {
    const id = await submit();
    const stream = follow(id);
    await stream.next();
    for (let done = 1; done <= 30; done++)
      await recordRequestEvent(sql(), id, 'progress', { rows_done: done });
    for (let turn = 0; turn < 5; turn++)
      await recordRequestEvent(sql(), id, turn % 2 ? 'running' : 'waiting');
    await sql().transaction((inner) => moveWorkRequest(inner, id, 'cancel'));
    const messages = await all(stream);
    expect(messages.at(-1)!.event).toBe('cancelled');
    const others = messages.map(({ event }) => event).filter((event) => event !== 'progress');
    expect(others).toEqual(['waiting', 'running', 'waiting', 'running', 'waiting', 'cancelled']);
    const numbers = messages.map(({ id: number }) => number);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((left, right) => left - right));
    const lastProgress = messages.findLast(({ event }) => event === 'progress');
    expect(lastProgress!.data.details).toEqual({ rows_done: 30 });
    // The rule itself is shown by streams.spec.ts; a client that was held up reads one message late, not most of them.
    const gaps = messages.slice(4).map(({ atMs }, index) => atMs - messages[index]!.atMs);
    expect(Math.min(...gaps)).toBeGreaterThan(500);
    expect(gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)]).toBeGreaterThan(950);
  });

  it('tells many streams of one request the same', async () => {
    const id = await submit();
    const streams = Array.from({ length: 20 }, () => follow(id));
    for (const stream of streams) await stream.next();
    await sql().transaction((inner) => moveWorkRequest(inner, id, 'cancel'));
    for (const messages of await Promise.all(streams.map(all)))
      expect(messages.map(({ event }) => event)).toEqual(['cancelled']);
  });

  it('is right when a notification is lost: it reads again by itself', async () => {
    const id = await submit();
    const stream = follow(id);
    await stream.next();
    // Written past the usual statement, so nobody is told.
    await sql().rows(
      `with changed as (update work_request set version = version + 1 where id = $1 returning *)
       insert into work_request_event (expires_on, request_id, event_no, type) select expires_on, id, version, 'waiting' from changed`,
      [id],
    );
    expect(((await stream.next()).value as Message).event).toBe('waiting');
  }, 20_000);

  it('is right when the listening connection breaks: a gap makes every stream look for itself', async () => {
    const id = await submit();
    const stream = follow(id);
    await stream.next();
    await sql().rows(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'model-hub listen' and datname = current_database()`,
    );
    await recordRequestEvent(sql(), id, 'waiting');
    const startedAt = performance.now();
    expect(((await stream.next()).value as Message).event).toBe('waiting');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('ends when the session ends', async () => {
    const other = await api.call('POST', '/api/auth/anonymous-login');
    const theirs = other.json.session.session_token as string;
    const body = { model_id: 'eos-physchem', request_payload: { entries: ['CCO'] } };
    const { json } = await api.call('POST', '/api/work-requests', { token: theirs, body });
    const stream = follow(json.id, { authorization: `Bearer ${theirs}` });
    await stream.next();
    await api.call('POST', '/api/auth/logout', { token: theirs });
    await recordRequestEvent(sql(), json.id, 'waiting');
    expect((await stream.next()).done).toBe(true);
  });

  it('ends for whoever may not see the request any more', async () => {
    const admin = await api.user({ admin: true });
    const id = await submit();
    const stream = follow(id, { authorization: `Bearer ${admin.token}` });
    await stream.next();
    await recordRequestEvent(sql(), id, 'waiting');
    expect((await stream.next()).value).toMatchObject({ event: 'waiting' });
    await sql().rows('delete from user_permission where user_id = $1', [admin.userId]);
    await recordRequestEvent(sql(), id, 'running');
    expect((await stream.next()).done).toBe(true);
  });
});
