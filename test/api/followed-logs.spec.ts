import { EventEmitter, on, once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { compressText } from '../../db/compressed-text.js';
import { type FollowOptions, HostUnavailableError } from '../../hosts/model-host.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeModel } from '../factories/make-model.js';
import { describeWith } from '../support/require-part.js';
import { startApi, type RunningApi } from '../support/running-api.js';

/** Logs as they are written, over HTTP. The host is played here: it says a line when the test does. */
describeWith('postgres')('a followed log', () => {
  let api: RunningApi;
  let token: string;
  const host = new EventEmitter();
  const lives = new Set<string>();
  const followed: FollowOptions[] = [];
  beforeAll(async () => {
    api = await startApi(
      {},
      {
        logReader: {
          readLogs: async (instanceId) => (lives.has(instanceId) ? '' : null),
          async *followLogs(instanceId, signal, options = {}) {
            followed.push(options);
            try {
              const lines = on(host, instanceId, { signal, close: ['ends'] });
              host.emit('followed');
              for await (const [line] of lines) {
                if (line instanceof Error) throw line;
                yield line as string;
              }
            } catch (error) {
              if (!signal.aborted) throw error;
            } finally {
              host.emit('left');
            }
          },
          close: async () => undefined,
        },
      },
    );
    ({ token } = await api.user({ admin: true }));
  });
  afterEach(() => {
    lives.clear();
    followed.length = 0;
  });
  afterAll(() => api.stop());

  const make = async (state: 'ACTIVE' | 'TERMINATED' = 'ACTIVE') => {
    const { id: modelId } = await makeModel(api.parts.database);
    const id = await makeInstance(api.parts.database, { modelId, state });
    if (state === 'ACTIVE') lives.add(id);
    return id;
  };
  const follow = async (id: string, query = '', reader = token) => {
    const leaving = new AbortController();
    const response = await fetch(`${api.url}/api/instances/${id}/logs?follow=true${query}`, {
      headers: { authorization: `Bearer ${reader}` },
      signal: leaving.signal,
    });
    const lines = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    return { response, leave: () => leaving.abort(), read: async () => (await lines.read()).value };
  };

  it('is connected before there is a line, then gives each as it is said, and ends with the instance', async () => {
    const id = await make();
    const { response, read } = await follow(id, '&tail=3&since=2026-01-01T00:00:00Z&download=true');
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; charset=utf-8',
    ]);
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="instance-${id}-log.txt"`);
    expect(followed).toEqual([{ tailLines: 3, since: '2026-01-01T00:00:00.000Z' }]);
    for (const words of ['one', 'two']) {
      host.emit(id, words);
      expect(await read()).toBe(`${words}\n`);
    }
    await api.parts.database.rows(`update model_instance set state = 'SHOULD_TERMINATE' where id = $1`, [id]);
    host.emit('ends');
    expect(await read()).toBeUndefined();
    expect(followed).toHaveLength(1);
  });

  it('goes on when its host ends it while the instance lives', async () => {
    const id = await make();
    const { read, leave } = await follow(id);
    const followedAgain = once(host, 'followed');
    host.emit('ends');
    await followedAgain;
    host.emit(id, 'one');
    expect(await read()).toBe('one\n');
    leave();
  });

  it('is let go of by the host when the client goes', async () => {
    const id = await make();
    const { leave } = await follow(id);
    const left = once(host, 'left');
    leave();
    await left;
  });

  it('that breaks off does not look as if it had ended', async () => {
    const id = await make();
    const { read } = await follow(id);
    host.emit(id, 'one');
    expect(await read()).toBe('one\n');
    host.emit(id, new Error('the log can not be read on'));
    await expect(read()).rejects.toThrow();
  });

  it('goes on when the connection to the host broke', async () => {
    const id = await make();
    const { read, leave } = await follow(id);
    const line = '2026-01-01T00:00:00.000Z one';
    host.emit(id, line);
    expect(await read()).toBe(`${line}\n`);
    const followedAgain = once(host, 'followed');
    host.emit(id, new HostUnavailableError('the API server went away'));
    await followedAgain;
    host.emit(id, line);
    host.emit(id, '2026-01-01T00:00:01.000Z two');
    expect(await read()).toBe('2026-01-01T00:00:01.000Z two\n');
    expect(followed).toEqual([{}, { since: '2026-01-01T00:00:00.000Z' }]);
    leave();
  });

  it('is read on by nobody whose session or permission has ended, and by everybody else', async () => {
    const id = await make();
    const [leaver, demoted] = [await api.user({ admin: true }), await api.user({ admin: true })];
    const theirs = [await follow(id, '', leaver.token), await follow(id, '', demoted.token)];
    const other = await follow(id);
    const logout = { token: leaver.token };
    expect((await api.call('POST', '/api/auth/logout', logout)).status).toBe(200);
    await api.parts.database.rows(`delete from user_permission where user_id = $1`, [demoted.userId]);
    for (const { read } of theirs) expect(await read()).toBeUndefined();
    host.emit(id, 'one');
    expect(await other.read()).toBe('one\n');
    other.leave();
  }, 20_000);

  it('of an ended instance is what was kept', async () => {
    const id = await make('TERMINATED');
    await api.parts.database.rows(
      `insert into instance_log (expires_on, instance_id, log) select expires_on, id, $2 from model_instance where id = $1`,
      [id, await compressText('one\ntwo\nthree\n')],
    );
    const get = (query: string) =>
      api.call('GET', `/api/instances/${id}/logs?follow=true${query}`, { token });
    expect((await get('')).text).toBe('one\ntwo\nthree\n');
    expect((await get('&tail=1')).text).toBe('three\n');
    expect(followed).toEqual([]);
  });

  it('that there is not is 404, and other people get 403', async () => {
    const starting = await make();
    lives.clear();
    for (const id of ['unknown', starting, await make('TERMINATED')]) {
      for (const query of ['?follow=true', '']) {
        const answer = await api.call('GET', `/api/instances/${id}/logs${query}`, { token });
        expect([answer.status, answer.json]).toEqual([404, { detail: 'No logs found for instance' }]);
      }
    }
    const other = await api.user();
    const answer = await api.call('GET', `/api/instances/${starting}/logs?follow=true`, {
      token: other.token,
    });
    expect(answer.status).toBe(403);
  });
});
