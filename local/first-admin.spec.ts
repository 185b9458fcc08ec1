import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';
import { isPassword } from '../api/auth/password-hash.js';
import { SESSION_CHANNEL } from '../db/session-channel.js';
import { freshDatabase, type TestDatabase } from '../test/support/database.js';
import { describeWith } from '../test/support/require-part.js';
import { createFirstAdmin, createNamedAdmin, grantPermission, resetPassword } from './first-admin.js';

let database: TestDatabase;
let client: pg.Client;

async function hashOf(username: string): Promise<string> {
  const { rows } = await client.query<{ password_hash: string }>(
    'select password_hash from app_user where username = $1',
    [username],
  );
  return rows[0]?.password_hash ?? '';
}

async function permissionsOf(username: string): Promise<string[]> {
  const { rows } = await client.query<{ permission: string }>(
    `select permission from user_permission join app_user on app_user.id = user_id
      where username = $1 order by permission`,
    [username],
  );
  return rows.map(({ permission }) => permission);
}

/** What the work gives, when those who remember sessions have been told of the user as well. */
async function heard<Result>(work: () => Promise<Result>): Promise<Result> {
  const told = once(client, 'notification');
  const result = await work();
  const [{ payload }] = (await told) as [pg.Notification];
  const { rows } = await client.query('select username from app_user where id = $1', [payload]);
  expect(rows).toEqual([{ username: 'Marie' }]);
  return result;
}

describeWith('postgres')('administrators', () => {
  beforeAll(async () => {
    database = await freshDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(`listen ${SESSION_CHANNEL}`);
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('begin with one whose password is strong, told once and stored hashed', async () => {
    const account = await createFirstAdmin(database.url);
    expect(account?.username).toBe('admin');
    expect(account?.password).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[a-zA-Z\d]{16,}$/);
    const stored = await hashOf('admin');
    expect(stored).toMatch(/^\$argon2id\$/);
    expect(await isPassword(account?.password ?? '', stored)).toBe(true);
    expect(await permissionsOf('admin')).toEqual(['ADMIN']);
    expect(await createFirstAdmin(database.url)).toBeUndefined();
  });

  it('get another name when somebody else is called admin', async () => {
    await client.query('delete from user_permission');
    const account = await createFirstAdmin(database.url);
    expect(account?.username).toMatch(/^admin-[0-9a-f]{6}$/);
  });

  it('are created by name, once, whatever the case', async () => {
    await createNamedAdmin(database.url, 'Marie');
    await expect(createNamedAdmin(database.url, 'marie')).rejects.toThrow('there is a user marie already');
  });

  it('lose their sessions with their password', async () => {
    const old = await hashOf('Marie');
    await client.query(
      `insert into user_session (session_id, user_id, token_sha256, auth_type, max_age_seconds, expires_at)
       select 's', id, '\\x00', 'ErsiliaUser', 60, now() + interval '1 minute' from app_user where username = 'Marie'`,
    );
    const { password } = await heard(() => resetPassword(database.url, 'marie'));
    expect(await hashOf('Marie')).not.toBe(old);
    expect(await isPassword(password, await hashOf('Marie'))).toBe(true);
    expect((await client.query('select 1 from user_session')).rowCount).toBe(0);
  });

  it('can sign in: a name that ends before its end is none', async () => {
    await expect(createNamedAdmin(database.url, 'pierre:curie')).rejects.toThrow('choose one without');
  });

  it('are made of other users too, twice without harm, and not by a word that means nothing', async () => {
    await client.query(`delete from user_permission`);
    await heard(() => grantPermission(database.url, 'Marie', 'ADMIN'));
    await heard(() => grantPermission(database.url, 'Marie', 'ADMIN'));
    expect(await permissionsOf('Marie')).toEqual(['ADMIN']);
    await expect(grantPermission(database.url, 'Marie', 'admin')).rejects.toThrow(
      'there is no permission admin: what can be given is ADMIN',
    );
    await expect(grantPermission(database.url, 'Nobody', 'ADMIN')).rejects.toThrow(
      'there is no registered user Nobody',
    );
  });
});
