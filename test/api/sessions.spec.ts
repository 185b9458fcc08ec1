import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApi, type RunningApi } from '../support/running-api.js';
import { waitUntil } from '../support/wait-until.js';

/** Signing in, renewing, signing out, over HTTP. What a signed-in caller may do is told in the other specs. */
describe('sessions', () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  const legacy = (scheme: string, session: unknown) =>
    `${scheme} ${Buffer.from(JSON.stringify(session)).toString('base64')}`;
  const isSignedIn = async (headers: Record<string, string>) =>
    (await api.call('GET', '/api/models', { headers })).status === 200;
  const logIn = (username: string, password: string, authType = 'ErsiliaUser') =>
    api.call('POST', '/api/auth/login', {
      body: { encoding: Buffer.from(`${username}:${password}`).toString('base64'), auth_type: authType },
    });

  it('gives a guest everything: identity, session and a token that is stored only as its hash', async () => {
    const { json, status } = await api.call('POST', '/api/auth/anonymous-login');
    expect(status).toBe(200);
    expect(json.session).toMatchObject({ auth_type: 'ErsiliaAnonymous', session_max_age_seconds: 172_800 });
    expect(Buffer.from(json.session.session_token, 'base64url')).toHaveLength(32);
    expect(json.session.session_start_time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(json.permissions).toEqual([]);
    const [row] = await api.parts.database.rows<{ found: boolean }>(
      `select exists (select from user_session where session_id = $1 and token_sha256 = sha256($2)) as found`,
      [json.session.session_id, Buffer.from(json.session.session_token)],
    );
    expect(row!.found).toBe(true);
  });

  it('takes the token as Bearer, in both schemes of the original, and as a cookie', async () => {
    const { json } = await api.call('POST', '/api/auth/anonymous-login');
    const token = json.session.session_token as string;
    expect(await isSignedIn({ authorization: `Bearer ${token}` })).toBe(true);
    expect(await isSignedIn({ authorization: legacy('ErsiliaAnonymous', json.session) })).toBe(true);
    expect(await isSignedIn({ authorization: legacy('ErsiliaUser', json.session) })).toBe(true);
    expect(await isSignedIn({ cookie: `a=b; hub_session=${token}` })).toBe(true);
  });

  it.each([
    ['no header', {}],
    ['a made-up token', { authorization: 'Bearer abcdefghijklmnop' }],
    ['a header without a blank', { authorization: 'Bearer' }],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['the scheme in lower case', { authorization: 'ersiliauser e30=' }],
    ['what is no base64', { authorization: 'ErsiliaUser §§§'.replaceAll('§', '!') }],
    ['what is no JSON', { authorization: `ErsiliaUser ${Buffer.from('{').toString('base64')}` }],
    [
      'a session without a token',
      { authorization: `ErsiliaUser ${Buffer.from('{"userid":"x"}').toString('base64')}` },
    ],
    [
      'a token that is no text',
      { authorization: `ErsiliaUser ${Buffer.from('{"session_token":{}}').toString('base64')}` },
    ],
  ])('refuses %s with 401', async (_, headers) => {
    const answer = await api.call('GET', '/api/models', { headers: headers as Record<string, string> });
    expect(answer.status).toBe(401);
    expect(answer.json).toEqual({ detail: 'Unauthenticated' });
  });

  it('lets only the token decide: who claims to be somebody else in the JSON stays who they are', async () => {
    const admin = await api.user({ admin: true });
    const { json } = await api.call('POST', '/api/auth/anonymous-login');
    const forged = { ...json.session, userid: admin.userId, auth_type: 'ErsiliaUser' };
    const answer = await api.call('GET', '/api/auth/permissions', {
      headers: { authorization: legacy('ErsiliaUser', forged) },
    });
    expect(answer.status).toBe(404);
    expect(answer.json).toEqual({ detail: 'User Permissions not found' });
  });

  it('leads a client-made guest id back to the same user with a fresh token, and kills the old one', async () => {
    const id = randomUUID();
    const first = (await api.call('POST', `/api/auth/anonymous-login/${id}`, { body: null })).json;
    const second = (await api.call('POST', `/api/auth/anonymous-login/${id}`, { body: null })).json;
    expect(first.session.session_id).toBe(id);
    expect(second.user.id).toBe(first.user.id);
    expect(await isSignedIn({ authorization: `Bearer ${first.session.session_token}` })).toBe(false);
    expect(await isSignedIn({ authorization: `Bearer ${second.session.session_token}` })).toBe(true);
  });

  it('renews no session whose token was replaced or ended a moment ago, in a process that was not told yet', async () => {
    const { session } = (await api.call('POST', '/api/auth/anonymous-login')).json;
    expect(await isSignedIn({ authorization: `Bearer ${session.session_token}` })).toBe(true);
    // As another process writes it whose notification is still under way.
    await api.parts.database.rows(`update user_session set token_sha256 = sha256($2) where session_id = $1`, [
      session.session_id,
      Buffer.from(randomUUID()),
    ]);
    const renewal = await api.call('POST', '/api/auth/session/refresh', { token: session.session_token });
    expect(renewal.status).toBe(401);
  });

  it('makes one user of a guest id, however many tabs use it at once', async () => {
    const id = randomUUID();
    const logins = await Promise.all(
      Array.from({ length: 8 }, () => api.call('POST', `/api/auth/anonymous-login/${id}`)),
    );
    expect(logins.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(new Set(logins.map(({ json }) => json.user.id)).size).toBe(1);
  });

  it('refuses guest ids that are malformed, upper-case, or the session of a registered user', async () => {
    const user = await api.user();
    const [session] = await api.parts.database.rows<{ session_id: string }>(
      'select session_id from user_session where user_id = $1',
      [user.userId],
    );
    for (const id of ['x', randomUUID().toUpperCase(), session!.session_id, `${randomUUID()}0`]) {
      const answer = await api.call('POST', `/api/auth/anonymous-login/${id}`);
      expect(answer.status).toBe(400);
      expect(answer.json).toEqual({ detail: 'Invalid session id' });
    }
    expect(await isSignedIn({ authorization: `Bearer ${user.token}` })).toBe(true);
  });

  it('signs a registered user in by name in any case, and shows the permission ADMIN', async () => {
    const { username, password } = await api.user({ admin: true });
    const answer = await logIn(username.toUpperCase(), password);
    expect(answer.json).toMatchObject({
      permissions: ['ADMIN'],
      effective_permissions: ['ADMIN'],
      session: { auth_type: 'ErsiliaUser', session_max_age_seconds: 300 },
    });
  });

  it('refuses a wrong password, an unknown user and the guest scheme with the same words', async () => {
    const { username, password } = await api.user();
    const answers = [
      await logIn(username, `${password}x`),
      await logIn('nobody-at-all', password),
      await logIn(username, password, 'ErsiliaAnonymous'),
      await api.call('POST', '/api/auth/login', {
        body: { encoding: 'bm8gY29sb24=', auth_type: 'ErsiliaUser' },
      }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(400);
      expect(answer.json).toEqual({ detail: 'Invalid username or password' });
    }
  });

  it('hashes for an unknown user too, so that the time tells nothing', async () => {
    const { username } = await api.user();
    await logIn('warms-up-the-stand-in', 'x');
    const time = async (name: string) => {
      const startedAt = performance.now();
      await logIn(name, 'wrong');
      return performance.now() - startedAt;
    };
    // In turn and the best of many, so that a busy machine slows down neither alone.
    let known = Infinity;
    let unknown = Infinity;
    for (let turn = 1; turn <= 8; turn += 1) {
      known = Math.min(known, await time(username));
      unknown = Math.min(unknown, await time(`nobody-${turn}`));
    }
    // A hash takes over 10 ms, looking up a name less than one: without it the ratio would be below a fifth.
    expect(unknown / known).toBeGreaterThan(0.4);
  });

  it('names the field of a malformed login', async () => {
    const answer = await api.call('POST', '/api/auth/login', { body: { encoding: 7, auth_type: 'Nobody' } });
    expect(answer.status).toBe(422);
    expect(answer.json.detail.map(({ loc }: { loc: string[] }) => loc)).toEqual([
      ['body', 'encoding'],
      ['body', 'auth_type'],
    ]);
  });

  it('renews a session: same session and user, new token, the old one dead at once', async () => {
    const { token } = await api.user();
    expect(await isSignedIn({ authorization: `Bearer ${token}` })).toBe(true);
    const { json } = await api.call('POST', '/api/auth/session/refresh', { token });
    expect(Object.keys(json).sort()).toEqual(
      [
        'auth_type',
        'session_id',
        'session_max_age_seconds',
        'session_start_time',
        'session_token',
        'userid',
      ].sort(),
    );
    expect(await isSignedIn({ authorization: `Bearer ${token}` })).toBe(false);
    expect(await isSignedIn({ authorization: `Bearer ${json.session_token}` })).toBe(true);
  });

  it('ends a session on logout at once, and lets a guest come back by its id', async () => {
    const id = randomUUID();
    const { json } = await api.call('POST', `/api/auth/anonymous-login/${id}`);
    const token = json.session.session_token;
    expect(await isSignedIn({ authorization: `Bearer ${token}` })).toBe(true);
    expect((await api.call('POST', '/api/auth/logout', { token })).json).toEqual({ status: 'ok' });
    expect(await isSignedIn({ authorization: `Bearer ${token}` })).toBe(false);
    const back = await api.call('POST', `/api/auth/anonymous-login/${id}`);
    expect(back.json.user.id).toBe(json.user.id);
  });

  it('ends a session by the clock of the database', async () => {
    const token = await api.guest();
    expect(await isSignedIn({ authorization: `Bearer ${token}` })).toBe(true);
    await api.parts.database.rows(
      `with over as (update user_session set expires_at = now() - interval '1 second' where token_sha256 = sha256($1) returning user_id)
       select pg_notify('hub_session', user_id) from over`,
      [Buffer.from(token)],
    );
    const isOver = async () => !(await isSignedIn({ authorization: `Bearer ${token}` })) || undefined;
    // Sooner than this process would have asked by itself.
    await waitUntil('the end of the session', isOver, { withinMs: 4_000, everyMs: 20 });
  });

  it('gives its own page a cookie no script can read, and a foreign page none', async () => {
    const own = await api.call('POST', '/api/auth/anonymous-login', {
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect(own.headers.get('set-cookie')).toMatch(
      /^hub_session=[\w-]{43}; Max-Age=172800; Path=\/api; HttpOnly; SameSite=Lax$/,
    );
    const foreign = await api.call('POST', '/api/auth/anonymous-login', {
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(foreign.status).toBe(200);
    expect(foreign.headers.get('set-cookie')).toBeNull();
  });

  it('refuses a cross-site POST that brings only the cookie, and takes one that brings the token', async () => {
    const token = await api.guest();
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://elsewhere.example' };
    const byCookie = await api.call('POST', '/api/auth/logout', {
      headers: { ...foreign, cookie: `hub_session=${token}` },
    });
    expect(byCookie.status).toBe(403);
    expect(byCookie.json).toHaveProperty('detail');
    expect((await api.call('POST', '/api/auth/session/refresh', { token, headers: foreign })).status).toBe(
      200,
    );
  });
});
