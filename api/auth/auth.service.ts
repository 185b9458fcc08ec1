import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '../../db/database.js';
import type { AuthType, LoginResponse, Session, User } from '../../domain/session/session.wire.js';
import type { ApiSettings } from '../api.config.js';
import { Refusal } from '../http/refusal.js';
import { DATABASE, SETTINGS } from '../records/tokens.js';
import { createSessionToken, hashSessionToken } from './session-token.js';
import { SessionsService } from './sessions.service.js';
import type { SignedIn } from './signed-in.js';

interface OpenedSession {
  session_id: string;
  user_id: string;
  auth_type: AuthType;
  max_age_seconds: number;
  start_time: string;
  username: string;
  first_name: string;
  last_name: string;
  email: string | null;
  sign_up_date: string;
  last_updated: string;
  permissions: string[];
}

/** Columns of an `OpenedSession`, from a session `s` and its user `u`. */
const openedColumns = `s.session_id, s.user_id, s.auth_type, s.max_age_seconds, s.start_time,
  u.username, u.first_name, u.last_name, u.email, u.sign_up_date, u.last_updated,
  array(select permission from user_permission p where p.user_id = s.user_id order by permission) as permissions`;

const GUEST_SESSION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UNIQUE_VIOLATION = '23505';

/** What a caller may do, as stored. */
export interface PermissionsAnswer {
  readonly userid: string;
  readonly permissions: string[];
  readonly last_updated: string | null;
}

/** Opens, renews and ends sessions. */
@Injectable()
export class AuthService {
  readonly #database: Database;
  readonly #settings: ApiSettings;
  readonly #sessions: SessionsService;

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(SETTINGS) settings: ApiSettings,
    sessions: SessionsService,
  ) {
    this.#database = database;
    this.#settings = settings;
    this.#sessions = sessions;
  }

  /** A new session of a user who has proven who they are. */
  async logIn(userId: string): Promise<LoginResponse> {
    const token = createSessionToken();
    const [opened] = await this.#database.rows<OpenedSession>(
      `with s as (
         insert into user_session (session_id, user_id, token_sha256, auth_type, max_age_seconds, expires_at)
         values ($1, $2, $3, 'ErsiliaUser', $4::int, now() + make_interval(secs => $4::int))
         returning *)
       select ${openedColumns} from s join app_user u on u.id = s.user_id`,
      [randomUUID(), userId, hashSessionToken(token), this.#settings.USER_SESSION_MAX_AGE_SECONDS],
    );
    return toLoginResponse(opened!, token);
  }

  /** A guest with an identity of its own; everything is issued here. */
  async createGuest(sessionId: string = randomUUID()): Promise<LoginResponse> {
    const token = createSessionToken();
    const name = randomUUID().slice(-12);
    const [opened] = await this.#database.rows<OpenedSession>(
      `with u as (
         insert into app_user (kind, username, first_name, last_name) values ('guest', $1, 'Guest', $2) returning *),
       s as (
         insert into user_session (session_id, user_id, token_sha256, auth_type, max_age_seconds, expires_at)
         select $3, u.id, $4, 'ErsiliaAnonymous', $5::int, now() + make_interval(secs => $5::int) from u
         returning *)
       select ${openedColumns} from s join u on u.id = s.user_id`,
      [`guest-${name}`, name, sessionId, hashSessionToken(token), this.#guestMaxAge],
    );
    return toLoginResponse(opened!, token);
  }

  /**
   * The guest of an id that a client made: the same user as before when the id is known, else a new one.
   * @throws Refusal 400 when the id is malformed or names the session of a registered user
   */
  async enterAsGuest(sessionId: string): Promise<LoginResponse> {
    if (!GUEST_SESSION_ID.test(sessionId)) throw new Refusal(400, 'Invalid session id');
    const known = await this.#renewGuest(sessionId);
    if (known) return known;
    try {
      return await this.createGuest(sessionId);
    } catch (error) {
      if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
      // Someone else has the id: this client in another tab a moment ago, or a registered user.
      const entered = await this.#renewGuest(sessionId);
      if (entered) return entered;
      throw new Refusal(400, 'Invalid session id');
    }
  }

  /**
   * A new token for the session; the old one is dead at once.
   * @throws Refusal 401 when it was dead already, though this process had not heard of it yet
   */
  async refresh(caller: SignedIn): Promise<LoginResponse> {
    const token = createSessionToken();
    const maxAge =
      caller.authType === 'ErsiliaUser' ? this.#settings.USER_SESSION_MAX_AGE_SECONDS : this.#guestMaxAge;
    const opened = await this.#renew(caller.sessionId, caller.authType, token, maxAge, caller.tokenSha256);
    if (!opened) throw new Refusal(401, 'Unauthenticated');
    return toLoginResponse(opened, token);
  }

  /** Ends the session. A guest's stays known, so that its id leads back to the same user. */
  async logOut(caller: SignedIn): Promise<void> {
    await this.#database.transaction(async (sql) => {
      const end =
        caller.authType === 'ErsiliaUser'
          ? 'delete from user_session where session_id = $1'
          : `update user_session set expires_at = now(), token_sha256 = sha256(uuidv7()::text::bytea) where session_id = $1`;
      await sql.rows(end, [caller.sessionId]);
      await this.#sessions.announceChange(sql, caller.userId);
    });
    this.#sessions.forget(caller.userId);
  }

  /** @throws Refusal 404 when nothing was ever granted, as the original has it */
  async findPermissions(caller: SignedIn): Promise<PermissionsAnswer> {
    const [row] = await this.#database.rows<{ permissions: string[] | null; last_updated: string | null }>(
      `select array_agg(permission order by permission) as permissions, max(last_updated) as last_updated
         from user_permission where user_id = $1`,
      [caller.userId],
    );
    if (!row?.permissions) throw new Refusal(404, 'User Permissions not found');
    return { userid: caller.userId, permissions: onTheWire(row.permissions), last_updated: row.last_updated };
  }

  get #guestMaxAge(): number {
    return this.#settings.ANONYMOUS_SESSION_MAX_AGE_SECONDS;
  }

  async #renewGuest(sessionId: string): Promise<LoginResponse | null> {
    const token = createSessionToken();
    const opened = await this.#renew(sessionId, 'ErsiliaAnonymous', token, this.#guestMaxAge);
    return opened && toLoginResponse(opened, token);
  }

  async #renew(
    sessionId: string,
    authType: AuthType,
    token: string,
    maxAgeSeconds: number,
    oldTokenSha256: Buffer | null = null,
  ): Promise<OpenedSession | null> {
    const opened = await this.#database.transaction(async (sql) => {
      const [row] = await sql.rows<OpenedSession>(
        `with s as (
           update user_session set token_sha256 = $3, max_age_seconds = $4::int, start_time = now(),
             expires_at = now() + make_interval(secs => $4::int)
           where session_id = $1 and auth_type = $2 and ($5::bytea is null or token_sha256 = $5) returning *)
         select ${openedColumns} from s join app_user u on u.id = s.user_id`,
        [sessionId, authType, hashSessionToken(token), maxAgeSeconds, oldTokenSha256],
      );
      if (row) await this.#sessions.announceChange(sql, row.user_id);
      return row ?? null;
    });
    if (opened) this.#sessions.forget(opened.user_id);
    return opened;
  }
}

/** Clients of the original know one permission; finer ones are shown apart. */
const onTheWire = (permissions: readonly string[]) =>
  permissions.filter((permission) => permission === 'ADMIN');

function toLoginResponse(opened: OpenedSession, token: string): LoginResponse {
  const session: Session = {
    userid: opened.user_id,
    session_id: opened.session_id,
    session_token: token,
    auth_type: opened.auth_type,
    session_max_age_seconds: opened.max_age_seconds,
    session_start_time: opened.start_time,
  };
  const user: User = {
    id: opened.user_id,
    username: opened.username,
    first_name: opened.first_name,
    last_name: opened.last_name,
    email: opened.email,
    sign_up_date: opened.sign_up_date,
    last_updated: opened.last_updated,
  };
  return {
    session,
    user,
    permissions: onTheWire(opened.permissions),
    effective_permissions: opened.permissions,
  };
}
