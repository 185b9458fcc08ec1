import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { apiSettings, type ApiSettings } from '../../api/api.config.js';
import { hashPassword } from '../../api/auth/password-hash.js';
import { createApp } from '../../api/create-app.js';
import { closeApiParts, openApiParts, type ApiParts } from '../../api/records/api-parts.js';
import { freshDatabase } from './database.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; reading it fails when it is none. */
  readonly json: any; // oxlint-disable-line typescript/no-explicit-any -- specs look at any shape, also wrong ones
}

export interface Call {
  readonly token?: string;
  /** An object goes as JSON, text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The whole api over HTTP, on a database of its own and with a Temporal that is away. */
export interface RunningApi {
  readonly url: string;
  readonly app: NestFastifyApplication;
  readonly parts: ApiParts;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** A new guest's token. */
  guest(): Promise<string>;
  /** A new registered user's token. */
  user(options?: {
    admin?: boolean;
  }): Promise<{ token: string; userId: string; username: string; password: string }>;
  stop(): Promise<void>;
}

/** Nobody listens on port 1, so Temporal is away at once. */
const TEMPORAL_AWAY = '127.0.0.1:1';

/** Starts the api. `DATABASE_URL` may name a database that is away; `played` stands in for parts. */
export async function startApi(
  settings: Partial<ApiSettings> = {},
  played: Partial<ApiParts> = {},
): Promise<RunningApi> {
  const database = settings.DATABASE_URL ? null : await freshDatabase();
  const whole = apiSettings.parse({
    DATABASE_URL: database?.url,
    TEMPORAL_ADDRESS: TEMPORAL_AWAY,
    LOG_LEVEL: 'error',
    ...settings,
  });
  const parts = { ...(await openApiParts(whole)), ...played };
  const app = await createApp(whole, parts);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const call = (method: string, path: string, options?: Call) => callApi(url, method, path, options);
  return {
    url,
    app,
    parts,
    call,
    guest: async () => (await call('POST', '/api/auth/anonymous-login')).json.session.session_token,
    user: async ({ admin = false } = {}) => createUser(parts, call, admin),
    async stop() {
      await app.close();
      await closeApiParts(parts);
      await database?.drop();
    },
  };
}

async function callApi(url: string, method: string, path: string, call: Call = {}): Promise<Answer> {
  const { token, body, headers } = call;
  const isText = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body !== undefined && !isText ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    get json() {
      return JSON.parse(text);
    },
  };
}

async function createUser(parts: ApiParts, call: RunningApi['call'], admin: boolean) {
  const username = `user-${randomUUID()}`;
  const password = `pass:word ä ${randomUUID()}`;
  const [user] = await parts.database.rows<{ id: string }>(
    `insert into app_user (kind, username, first_name, last_name, password_hash)
     values ('registered', $1, 'First', 'Last', $2) returning id`,
    [username, await hashPassword(password)],
  );
  if (admin)
    await parts.database.rows(`insert into user_permission (user_id, permission) values ($1, 'ADMIN')`, [
      user!.id,
    ]);
  const encoding = Buffer.from(`${username}:${password}`).toString('base64');
  const login = await call('POST', '/api/auth/login', { body: { encoding, auth_type: 'ErsiliaUser' } });
  return { token: login.json.session.session_token as string, userId: user!.id, username, password };
}
