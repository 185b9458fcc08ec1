import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '../../db/database.js';
import {
  chooseLines,
  linesOf,
  linesWithin,
  sharedWindow,
  type LineChoice,
  type LogWindow,
} from '../../domain/instance/log-lines.js';
import { Refusal } from '../http/refusal.js';
import type { LogReader } from '../records/log-reader.js';
import { DATABASE, LOG_READER } from '../records/tokens.js';
import type { LogFilter } from './instances.dto.js';
import { askHost, noLogs, readStoredLog } from './stored-log.js';

/** A log is wanted whole, or only while the instance worked for one request. */
interface WantedLog extends LogWindow {
  readonly instance_id: string;
  readonly expires_on: string;
  readonly is_over: boolean;
}

/** Leases of one request whose logs are read; the last ones of a request that had more. */
const MOST_LEASES = 50;

/**
 * Reads logs of instances. That of a running one is asked of its host each time, so it is never old; that of an ended
 * one was kept when it ended.
 */
@Injectable()
export class InstanceLogsService {
  readonly #database: Database;
  readonly #reader: LogReader;

  constructor(@Inject(DATABASE) database: Database, @Inject(LOG_READER) reader: LogReader) {
    this.#database = database;
    this.#reader = reader;
  }

  /** @throws Refusal 400 when the query names neither an instance nor a model and request, 404 when there is no log */
  async read(filter: LogFilter): Promise<readonly string[]> {
    const oldestFirst = await this.#wantedLogs(filter);
    const { tail } = filter;
    const found =
      tail === undefined
        ? await this.#collect(oldestFirst, filter, filter.head, (head) => ({ head }))
        : (
            await this.#collect(oldestFirst.toReversed(), filter, tail, (left) => ({ tail: left }))
          ).toReversed();
    if (found.length === 0) throw noLogs();
    return found.flat();
  }

  /** The lines of one log after the other, until there are enough; logs that there are not are left out. */
  async #collect(
    logs: readonly WantedLog[],
    { since = null, until = null }: Partial<LogWindow>,
    most: number | undefined,
    choose: (left: number | undefined) => LineChoice,
  ): Promise<(readonly string[])[]> {
    const found: (readonly string[])[] = [];
    let left = most;
    for (const wanted of logs) {
      if (found.length > 0 && left === 0) break;
      const window = sharedWindow(wanted, { since, until });
      const lines = await this.#readLines(wanted, window, choose(left));
      if (lines === null) continue;
      found.push(lines);
      if (left !== undefined) left -= lines.length;
    }
    return found;
  }

  /** Oldest first. */
  #wantedLogs({ instance_id, model_id, work_request_id }: LogFilter): Promise<WantedLog[]> {
    if (instance_id !== undefined)
      return this.#database.rows(
        `select id as instance_id, expires_on, state = 'TERMINATED' as is_over, null as since, null as until
           from model_instance where id = $1`,
        [instance_id],
      );
    if (model_id === undefined || work_request_id === undefined)
      throw new Refusal(400, 'Missing work_request_id or model_id filter');
    return this.#database.rows(
      `select * from (
         select i.id as instance_id, i.expires_on, i.state = 'TERMINATED' as is_over,
           l.granted_at as since, l.released_at as until
           from instance_lease l join model_instance i on i.id = l.instance_id
          where l.request_id = $1::bigint and i.model_id = $2 and l.granted_at is not null
          order by l.granted_at desc limit ${MOST_LEASES}) newest
        order by since`,
      [work_request_id, model_id],
    );
  }

  /** The host is asked for no more than is wanted. */
  async #readLines(
    wanted: WantedLog,
    window: LogWindow,
    choice: LineChoice,
  ): Promise<readonly string[] | null> {
    const live = wanted.is_over ? null : await this.#readLive(wanted.instance_id, window, choice);
    if (live !== null) return linesOf(live);
    const kept = await readStoredLog(this.#database, wanted);
    return kept === null ? null : chooseLines(linesWithin(kept, window), choice);
  }

  #readLive(
    instanceId: string,
    { since, until }: LogWindow,
    { tail, head }: LineChoice,
  ): Promise<string | null> {
    return askHost(instanceId, () =>
      this.#reader.readLogs(instanceId, {
        ...(since !== null && { since }),
        ...(until !== null && { until }),
        ...(tail !== undefined && { tailLines: tail }),
        ...(head !== undefined && { headLines: head }),
      }),
    );
  }
}
