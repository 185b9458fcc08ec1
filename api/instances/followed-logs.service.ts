import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Database } from '../../db/database.js';
import { chooseLines, linesWithin } from '../../domain/instance/log-lines.js';
import type { SignedIn } from '../auth/signed-in.js';
import type { LogReader } from '../records/log-reader.js';
import { DATABASE, LOG_READER } from '../records/tokens.js';
import { followOn, type FollowStart } from './follow-on.js';
import { askHost, noLogs, readStoredLog } from './stored-log.js';

/** Nobody reads on for longer than this when their session or their permission has ended. */
const CHECK_SESSION_MS = 10_000;

/** Follows logs of instances for as long as their clients stay, each from the instance's host. */
@Injectable()
export class FollowedLogsService implements BeforeApplicationShutdown {
  readonly #database: Database;
  readonly #reader: LogReader;
  readonly #open = new Set<AbortController>();

  constructor(@Inject(DATABASE) database: Database, @Inject(LOG_READER) reader: LogReader) {
    this.#database = database;
    this.#reader = reader;
  }

  /** Streams would keep the server from closing. */
  beforeApplicationShutdown(): void {
    for (const controller of this.#open) controller.abort();
  }

  /**
   * The lines that are there, each with its line end, then each as it is written, until the instance ends or the
   * controller aborts; of an instance that has ended what was kept. The lines begin when they are asked for.
   * @throws Refusal 404 when there is no log, 503 when the host can't be asked
   */
  async follow(
    instanceId: string,
    start: FollowStart,
    caller: SignedIn,
    controller: AbortController,
  ): Promise<AsyncIterable<string>> {
    const [row] = await this.#database.rows<{ instance_id: string; expires_on: string; is_over: boolean }>(
      `select id as instance_id, expires_on, state = 'TERMINATED' as is_over from model_instance where id = $1`,
      [instanceId],
    );
    if (!row) throw noLogs();
    if (!row.is_over && (await this.#isThere(instanceId)))
      return this.#followLive(instanceId, start, caller, controller);
    const kept = await readStoredLog(this.#database, row);
    if (kept === null) throw noLogs();
    return ended(chooseLines(linesWithin(kept, { since: start.since ?? null, until: null }), start));
  }

  /** While the database is away it is not known, and the host is asked again. */
  async #isOver(instanceId: string): Promise<boolean> {
    const living = await this.#database
      .rows(
        `select from model_instance where id = $1
            and state in ('REQUESTED', 'INITIALIZING', 'WAITING_FOR_READINESS', 'ACTIVE')`,
        [instanceId],
      )
      .catch(() => null);
    return living?.length === 0;
  }

  async #isThere(instanceId: string): Promise<boolean> {
    return (await askHost(instanceId, () => this.#reader.readLogs(instanceId, { tailLines: 1 }))) !== null;
  }

  async *#followLive(
    instanceId: string,
    start: FollowStart,
    caller: SignedIn,
    controller: AbortController,
  ): AsyncGenerator<string> {
    this.#open.add(controller);
    const checking = setInterval(() => void this.#endWithSession(caller, controller), CHECK_SESSION_MS);
    try {
      const followed = { reader: this.#reader, isOver: () => this.#isOver(instanceId) };
      for await (const line of followOn(followed, instanceId, start, controller.signal)) yield `${line}\n`;
    } finally {
      clearInterval(checking);
      this.#open.delete(controller);
      controller.abort();
    }
  }

  /** A database that is away ends nothing: it is asked again. */
  async #endWithSession({ sessionId }: SignedIn, controller: AbortController): Promise<void> {
    const allowed = await this.#database
      .rows(
        `select from user_session s join user_permission p on p.user_id = s.user_id and p.permission = 'ADMIN'
          where s.session_id = $1 and s.expires_at > now()`,
        [sessionId],
      )
      .catch(() => null);
    if (allowed?.length === 0) controller.abort();
  }
}

async function* ended(lines: readonly string[]): AsyncGenerator<string> {
  for (const line of lines) yield `${line}\n`;
}
