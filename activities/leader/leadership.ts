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
  return new LeaderRow(database, handlers);
}

class LeaderRow implements Leadership {
  readonly #holder = randomUUID();
  readonly #timer: NodeJS.Timeout;
  #fence: number | null = null;
  #closed = false;
  #renewing: Promise<void>;

  constructor(
    private readonly database: Database,
    private readonly handlers: LeadershipHandlers,
  ) {
    this.#renewing = this.#renew();
    this.#timer = setInterval(() => {
      this.#renewing = this.#renewing.then(() => (this.#closed ? undefined : this.#renew()));
    }, RENEW_MS);
  }

  get leading(): boolean {
    return this.#fence !== null;
  }

  async assertLeading(sql: Sql): Promise<void> {
    const leads = await sql.rows(
      `select from leader where name = $1 and holder = $2 and fence = $3 and expires_at > clock_timestamp() for share`,
      [NAME, this.#holder, this.#fence],
    );
    if (leads.length === 0)
      throw new NotLeadingError('this worker does not lead (any more); its write was refused');
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#renewing;
    this.#become(null);
    // Handing over at once spares the next leader the wait; a database that is away lets the row expire instead.
    await this.database
      .rows(`update leader set expires_at = clock_timestamp() where name = $1 and holder = $2`, [
        NAME,
        this.#holder,
      ])
      .catch((error: Error) => this.handlers.onError(error));
  }

  #become(next: number | null): void {
    if (next === this.#fence) return;
    if (this.#fence !== null) this.handlers.onLost();
    this.#fence = next;
    if (next !== null) this.handlers.onGained();
  }

  async #renew(): Promise<void> {
    try {
      const [won] = await this.database.rows<{ fence: number }>(
        `insert into leader (name, holder, fence, expires_at)
         values ($1, $2, 1, clock_timestamp() + interval '${LEASE_SECONDS} seconds')
         on conflict (name) do update set expires_at = excluded.expires_at, holder = excluded.holder,
           fence = leader.fence + case when leader.holder = excluded.holder then 0 else 1 end
         where leader.holder = excluded.holder or leader.expires_at < clock_timestamp()
         returning fence`,
        [NAME, this.#holder],
      );
      if (!this.#closed) this.#become(won?.fence ?? null);
    } catch (error) {
      // Without the database nobody writes anyway; whoever reaches it first leads next.
      this.handlers.onError(error as Error);
      this.#become(null);
    }
  }
}

/** A write by someone who leads no more. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}
