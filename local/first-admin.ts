import { randomBytes, randomInt } from 'node:crypto';
import pg from 'pg';
import { hashPassword } from '../api/auth/password-hash.js';
import { SESSION_CHANNEL } from '../db/session-channel.js';

/** An account as it is told to a person, once. */
export interface NewAccount {
  readonly username: string;
  readonly password: string;
}

const adminPermission = 'ADMIN';
const passwordLength = 20;
const lower = 'abcdefghijkmnpqrstuvwxyz';
const upper = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const digits = '23456789';

/** A password for a person to read off: at least one small letter, capital and digit, none that look alike. */
function randomPassword(): string {
  for (;;) {
    const password = Array.from({ length: passwordLength }, () => pick(lower + upper + digits)).join('');
    if (/[a-z]/.test(password) && /[A-Z]/.test(password) && /\d/.test(password)) return password;
  }
}

/** Creates the account `admin` with a random password; undefined when somebody holds ADMIN already. */
export async function createFirstAdmin(databaseUrl: string): Promise<NewAccount | undefined> {
  return withDatabase(databaseUrl, async (client) => {
    const admins = await client.query('select 1 from user_permission where permission = $1 limit 1', [
      adminPermission,
    ]);
    if (admins.rowCount !== 0) return undefined;
    const taken = await client.query(
      `select 1 from app_user where kind = 'registered' and lower(username) = 'admin'`,
    );
    const username = taken.rowCount === 0 ? 'admin' : `admin-${randomBytes(3).toString('hex')}`;
    return createAdmin(client, username);
  });
}

/** @throws Error when the name is taken, or nobody could sign in with it. */
export async function createNamedAdmin(databaseUrl: string, username: string): Promise<NewAccount> {
  if (username.includes(':'))
    throw new Error(`${username} can't sign in: a name ends at its first colon; choose one without`);
  return withDatabase(databaseUrl, async (client) => {
    const taken = await client.query(
      `select 1 from app_user where kind = 'registered' and lower(username) = lower($1)`,
      [username],
    );
    if (taken.rowCount !== 0) {
      throw new Error(
        `there is a user ${username} already: grant ${adminPermission} to it, or choose another name`,
      );
    }
    return createAdmin(client, username);
  });
}

/**
 * Gives the user a new random password and ends its sessions.
 * @throws Error when there is no such user.
 */
export async function resetPassword(databaseUrl: string, username: string): Promise<NewAccount> {
  return withDatabase(databaseUrl, async (client) => {
    const userId = await findUser(client, username);
    const password = randomPassword();
    await client.query('update app_user set password_hash = $2, last_updated = now() where id = $1', [
      userId,
      await hashPassword(password),
    ]);
    await client.query('delete from user_session where user_id = $1', [userId]);
    await announceChange(client, userId);
    return { username, password };
  });
}

/** @throws Error when there is no such user, or no such permission. */
export async function grantPermission(
  databaseUrl: string,
  username: string,
  permission: string,
): Promise<void> {
  if (permission !== adminPermission)
    throw new Error(`there is no permission ${permission}: what can be given is ${adminPermission}`);
  await withDatabase(databaseUrl, async (client) => {
    const userId = await findUser(client, username);
    await grant(client, userId, permission);
    await announceChange(client, userId);
  });
}

async function createAdmin(client: pg.Client, username: string): Promise<NewAccount> {
  const password = randomPassword();
  const created = await client.query<{ id: string }>(
    `insert into app_user (kind, username, first_name, last_name, password_hash)
     values ('registered', $1, $1, '', $2) returning id`,
    [username, await hashPassword(password)],
  );
  for (const { id } of created.rows) await grant(client, id, adminPermission);
  return { username, password };
}

async function grant(client: pg.Client, userId: string, permission: string): Promise<void> {
  await client.query(
    'insert into user_permission (user_id, permission) values ($1, $2) on conflict do nothing',
    [userId, permission],
  );
}

/** Processes that know the user's sessions by heart hear it when the transaction is committed. */
async function announceChange(client: pg.Client, userId: string): Promise<void> {
  await client.query('select pg_notify($1, $2)', [SESSION_CHANNEL, userId]);
}

async function findUser(client: pg.Client, username: string): Promise<string> {
  const found = await client.query<{ id: string }>(
    `select id from app_user where kind = 'registered' and lower(username) = lower($1)`,
    [username],
  );
  const [user] = found.rows;
  if (user === undefined) throw new Error(`there is no registered user ${username}`);
  return user.id;
}

/** One connection and one transaction. */
async function withDatabase<Result>(
  databaseUrl: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } finally {
    // Without the commit above, the end of the connection rolls back.
    await client.end();
  }
}

function pick(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}
