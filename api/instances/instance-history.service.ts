import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Database } from '../../db/database.js';
import type { InstanceHistory } from '../../domain/instance/instance.wire.js';
import { Refusal } from '../http/refusal.js';
import { DATABASE } from '../records/tokens.js';
import { readCursor, writeCursor } from './cursor.js';
import { requestAt, type EventRow } from './instance-context.js';
import type { HistoryFilter } from './instances.dto.js';
import { toEvent } from './to-instance.js';

/** A request that used more instances than this shows the history of the last of them. */
const MOST_INSTANCES = 200;

/** Steps that each instance takes once: they tell whoever it worked for where it came from and how it went. */
const stepsOfLife = [
  'INSTANCE_REQUESTED',
  'INSTANCE_POD_CREATED',
  'INSTANCE_READY',
  'INSTANCE_SHOULD_TERMINATE',
  'INSTANCE_ENDED',
  'INSTANCE_TERMINATED',
];

/**
 * What happened to instances: the hub's own steps and what the cluster reports, in one order of time. Of a
 * request's instances it leaves out what happened while they worked for others.
 */
@Injectable()
export class InstanceHistoryService {
  readonly #database: Database;

  constructor(@Inject(DATABASE) database: Database) {
    this.#database = database;
  }

  /** One page, newest first. @throws Refusal 400 when the query names neither an instance nor a model and request */
  async read(filter: HistoryFilter): Promise<z.infer<typeof InstanceHistory>> {
    const instances = await this.#instancesOf(filter);
    const place = filter.cursor === undefined ? [null, null, null] : readCursor(filter.cursor);
    const rows = await this.#database.rows<EventRow>(
      `select e.instance_id, page.model_id, e.event_no, e.source, e.type, e.at, e.details, work.request_id
         from unnest($1::date[], $2::text[], $3::text[]) as page (expires_on, id, model_id)
         join instance_event e on e.expires_on = page.expires_on and e.instance_id = page.id
         cross join lateral (select ${requestAt} as request_id) work
        where ($4::timestamptz is null or (e.at, e.instance_id, e.event_no) < ($4::timestamptz, $5::text, $6::integer))
          and ($8::bigint is null or work.request_id is null or work.request_id = $8::bigint
            or (e.source = 'hub' and e.type = any($9::text[])))
        order by e.at desc, e.instance_id desc, e.event_no desc limit $7`,
      [
        instances.map((row) => row.expires_on),
        instances.map((row) => row.id),
        instances.map((row) => row.model_id),
        place[0],
        place[1],
        place[2] ?? null,
        filter.limit + 1,
        filter.instance_id === undefined ? filter.work_request_id : null,
        stepsOfLife,
      ],
    );
    const page = rows.slice(0, filter.limit);
    const last = page.at(-1);
    return {
      history: page.map(toEvent),
      next_cursor:
        last && rows.length > page.length ? writeCursor([last.at, last.instance_id, last.event_no]) : null,
    };
  }

  #instancesOf({
    instance_id,
    model_id,
    work_request_id,
  }: HistoryFilter): Promise<{ id: string; model_id: string; expires_on: string }[]> {
    if (instance_id !== undefined)
      return this.#database.rows(`select id, model_id, expires_on from model_instance where id = $1`, [
        instance_id,
      ]);
    if (model_id === undefined || work_request_id === undefined)
      throw new Refusal(400, 'Missing work_request_id or model_id filter');
    return this.#database.rows(
      `select id, model_id, expires_on from model_instance
        where model_id = $1 and id in (select instance_id from instance_lease where request_id = $2::bigint)
        order by created_at desc limit ${MOST_INSTANCES}`,
      [model_id, work_request_id],
    );
  }
}
