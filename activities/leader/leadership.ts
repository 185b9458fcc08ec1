import { randomUUID } from 'node:crypto';
import type { Database, Sql } from '../../db/database.js';

/** A lease this old is anyone's; a leader that is frozen longer has lost it. */
const LEASE_SECONDS = 5;
const RENEW_MS = 1_000;
const NAME = 'hub';

/** This process's claim to lead: a row that expires, with a fence that grows with each new leader. */
export interface Leadership {
  readonly leading: boolean;
  /** @throws Error inside a transaction when this process does not lead (any more) */
  assertLeading(sql: Sql): Promise<void>;
  close(): Promise<void>;
}

/** What a process does when it starts and stops to lead. */
export interface LeadershipHandlers {
  onGained(): void;
  onLost(): void;
  onError(error: Error): void;
}

/** Tries to lead for as long as the process lives. Nothing else than the row decides who does. */
export function seekLeadership(database: Database, handlers: LeadershipHandlers): Leadership {
  const holder = randomUUID();
  let fence: number | null = null;
  let closed = false;

  function become(next: number | null): void {
    if (next === fence) return;
    if (fence !== null) handlers.onLost();
    fence = next;
    if (fence !== null) handlers.onGained();
  }

  async function renew(): Promise<void> {
    try {
      const won = await database.rows<{ fence: number }>(
        `insert into leader (name, holder, fence, expires_at) values ($1, $2, 1, clock_timestamp() + interval '${LEASE_SECONDS} seconds')
         on conflict (name) do update set expires_at = excluded.expires_at, holder = excluded.holder,
           fence = leader.fence + case when leader.holder = excluded.holder then 0 else 1 end
         where leader.holder = excluded.holder or leader.expires_at < clock_timestamp()
         returning fence`,
        [NAME, holder],
      );
      if (!closed) become(won[0]?.fence ?? null);
    } catch (error) {
      // Without the database nobody writes anyway; whoever reaches it first leads next.
      handlers.onError(error as Error);
      become(null);
    }
  }

  let renewing = renew();
  const timer = setInterval(() => {
    renewing = renewing.then(() => (closed ? undefined : renew()));
  }, RENEW_MS);

  return {
    get leading() {
      return fence !== null;
    },
    async assertLeading(sql) {
      const leads = await sql.rows(
        `select from leader where name = $1 and holder = $2 and fence = $3 and expires_at > clock_timestamp() for share`,
        [NAME, holder, fence],
      );
      if (leads.length === 0)
        throw new NotLeadingError('this worker does not lead (any more); its write was refused');
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await renewing;
      become(null);
      // Handing over at once spares the next leader the wait; a database that is away lets the row expire instead.
      await database
        .rows(`update leader set expires_at = clock_timestamp() where name = $1 and holder = $2`, [
          NAME,
          holder,
        ])
        .catch((error: Error) => handlers.onError(error));
    },
  };
}

/** A write by someone who leads no more. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}
