import { Inject, Injectable } from '@nestjs/common';
import { decompressText } from '../../db/compressed-text.js';
import type { Database } from '../../db/database.js';
import { chooseLines, linesOf, linesWithin, type LogWindow } from '../../domain/instance/log-lines.js';
import { HostUnavailableError } from '../../hosts/model-host.js';
import type { LogReader } from '../records/log-reader.js';
import { Refusal } from '../http/refusal.js';
import { DATABASE, LOG_READER } from '../records/tokens.js';
import type { LogFilter } from './instances.dto.js';

/** A log is wanted whole, or only while the instance worked for one request. */
interface WantedLog {
  readonly instance_id: string;
  readonly expires_on: string;
  readonly is_over: boolean;
  readonly since: string | null;
  readonly until: string | null;
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
    const lines: string[] = [];
    let isFound = false;
    for (const wanted of await this.#wantedLogs(filter)) {
      const log = await this.#readLog(wanted);
      if (log === null) continue;
      isFound = true;
      for (const line of windowOf(wanted, log)) lines.push(line);
    }
    if (!isFound) throw new Refusal(404, 'No logs found for instance');
    return chooseLines(lines, filter);
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

  async #readLog({ instance_id, expires_on, is_over }: WantedLog): Promise<string | null> {
    const live = is_over ? null : await this.#readLive(instance_id);
    if (live !== null) return live;
    const [kept] = await this.#database.rows<{ log: Buffer }>(
      `select log from instance_log where expires_on = $1 and instance_id = $2`,
      [expires_on, instance_id],
    );
    return kept ? decompressText(kept.log) : null;
  }

  async #readLive(instanceId: string): Promise<string | null> {
    try {
      return await this.#reader.readLogs(instanceId);
    } catch (error) {
      if (!(error instanceof HostUnavailableError)) throw error;
      const why = `The host of instance ${instanceId} can not be asked for its log: ${error.message}`;
      throw new Refusal(503, why);
    }
  }
}

/** The whole log, or its part in the lease. */
function windowOf({ since, until }: WantedLog, log: string): readonly string[] {
  if (since === null) return linesOf(log);
  const window: LogWindow = { since, until };
  return linesWithin(log, window);
}
