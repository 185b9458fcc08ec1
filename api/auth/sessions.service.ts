import { Inject, Injectable } from '@nestjs/common';
import type { Database, Sql } from '../../db/database.js';
import type { Notifications } from '../../db/notifications.js';
import { SESSION_CHANNEL } from '../../db/session-channel.js';
import { DATABASE, NOTIFICATIONS } from '../records/tokens.js';
import { WatchedCache } from '../records/watched-cache.js';
import { hashSessionToken } from './session-token.js';
import type { SignedIn } from './signed-in.js';

/** How long a session may be believed without asking Postgres. */
const CACHE_MS = 5_000;
/** About 300 bytes each. */
const CACHED_SESSIONS = 20_000;

interface SessionRow {
  user_id: string;
  kind: SignedIn['kind'];
  session_id: string;
  auth_type: SignedIn['authType'];
  permissions: string[];
  left_ms: number;
}

/** Who a token belongs to. */
@Injectable()
export class SessionsService {
  readonly #database: Database;
  readonly #cache: WatchedCache<SignedIn>;

  constructor(@Inject(DATABASE) database: Database, @Inject(NOTIFICATIONS) notifications: Notifications) {
    this.#database = database;
    this.#cache = new WatchedCache<SignedIn>(notifications, {
      channel: SESSION_CHANNEL,
      maxAgeMs: CACHE_MS,
      maxEntries: CACHED_SESSIONS,
      concerns: ({ userId }, payload) => userId === payload,
      endsInMs: ({ leftMs }) => leftMs,
    });
  }

  /** The session of a token, or null when there is none or it is over by the database's clock. */
  find(token: string): Promise<SignedIn | null> {
    const hash = hashSessionToken(token);
    return this.#cache.get(hash.toString('base64'), () => this.#load(hash));
  }

  /** Tells every process that sessions or permissions of a user changed. Part of the change's transaction. */
  async announceChange(sql: Sql, userId: string): Promise<void> {
    await sql.rows(`select pg_notify('${SESSION_CHANNEL}', $1)`, [userId]);
  }

  /** Forgets a user's sessions in this process at once, so that its own next answer is right. */
  forget(userId: string): void {
    this.#cache.forget(userId);
  }

  async #load(tokenSha256: Buffer): Promise<SignedIn | null> {
    const [row] = await this.#database.rows<SessionRow>(
      `select s.user_id, u.kind, s.session_id, s.auth_type,
              array(select permission from user_permission p where p.user_id = s.user_id order by permission) as permissions,
              extract(epoch from s.expires_at - now())::float8 * 1000 as left_ms
         from user_session s join app_user u on u.id = s.user_id
        where s.token_sha256 = $1 and s.expires_at > now()`,
      [tokenSha256],
    );
    if (!row) return null;
    return {
      userId: row.user_id,
      kind: row.kind,
      sessionId: row.session_id,
      tokenSha256,
      authType: row.auth_type,
      permissions: row.permissions,
      leftMs: row.left_ms,
    };
  }
}
