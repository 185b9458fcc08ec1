import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import type { Database } from '../../db/database.js';
import { Refusal } from '../http/refusal.js';
import { DATABASE } from '../records/tokens.js';
import { AtMost } from './at-most.js';
import { hashPassword, isPassword } from './password-hash.js';

/** 19 MiB of memory each: at most four at once bounds what sign-ins may take. */
const HASHES_AT_ONCE = 4;
const WAITING_AT_MOST = 100;

interface Account {
  id: string;
  password_hash: string | null;
}

/** A user whose name and password were right. */
export interface ProvenUser {
  readonly userId: string;
}

/**
 * Checks user name and password. The original sends both in one field, `encoding` (base64 of `username:password`),
 * which is therefore what the local strategy reads.
 */
@Injectable()
export class LoginStrategy extends PassportStrategy(Strategy, 'local') {
  readonly #database: Database;
  readonly #hashing = new AtMost(HASHES_AT_ONCE, WAITING_AT_MOST);
  #nobodysHash: Promise<string> | null = null;

  constructor(@Inject(DATABASE) database: Database) {
    super({ usernameField: 'encoding', passwordField: 'auth_type' });
    this.#database = database;
  }

  async validate(encoding: string, authType: string): Promise<ProvenUser | null> {
    const given = decodeCredentials(encoding);
    if (given === null || authType !== 'ErsiliaUser') return null;
    const [account] = await this.#database.rows<Account>(
      `select id, password_hash from app_user where kind = 'registered' and lower(username) = lower($1)`,
      [given.username],
    );
    const isRight = await this.#hashing.run(() =>
      this.#isRight(given.password, account?.password_hash ?? null),
    );
    if (isRight === null)
      throw new Refusal(503, 'Too many sign-ins at the moment; try again in a second', {
        'retry-after': '1',
      });
    return account && isRight ? { userId: account.id } : null;
  }

  /** Takes as long for a user who does not exist: the time must not tell which names are taken. */
  async #isRight(password: string, hash: string | null): Promise<boolean> {
    this.#nobodysHash ??= hashPassword(randomBytes(16).toString('hex'));
    const matches = await isPassword(password, hash ?? (await this.#nobodysHash));
    return hash !== null && matches;
  }
}

/** User name and password, split at the first colon; null when there is none, or a character no name can hold. */
function decodeCredentials(encoding: string): { username: string; password: string } | null {
  const text = Buffer.from(encoding, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1 || text.includes('\0')) return null;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
