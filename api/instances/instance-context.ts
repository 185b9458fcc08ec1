import type { Sql } from '../../db/database.js';
import type { LeaseState } from '../../domain/instance/instance.js';
import { workRequestColumns, type WorkRequestRow } from '../work-requests/work-request-row.js';
import type { InstanceRow } from './instances-statement.js';

/** A lease as the page of an instance shows it. */
export interface LeaseRow {
  readonly instance_id: string;
  readonly request_id: number;
  readonly state: LeaseState;
  readonly requested_at: string;
  readonly granted_at: string | null;
  readonly acknowledged_at: string | null;
  readonly released_at: string | null;
  readonly shards: number;
  readonly rows: number;
  readonly peak_memory_bytes: number | null;
  readonly peak_cpu_millicores: number | null;
  readonly usage_samples: number;
  readonly outcome: string | null;
}

interface MomentsRow {
  readonly instance_id: string;
  readonly pod_created_at: string | null;
}

/** All that belongs to the instances of one page, by instance. */
export interface InstanceContext {
  readonly leases: ReadonlyMap<string, readonly LeaseRow[]>;
  readonly lastEvents: ReadonlyMap<string, EventRow>;
  readonly moments: ReadonlyMap<string, MomentsRow>;
  readonly requests: ReadonlyMap<number, WorkRequestRow & { readonly execution_mode: string }>;
}

export interface EventRow {
  readonly instance_id: string;
  readonly model_id: string;
  readonly request_id: number | null;
  readonly event_no: number;
  readonly source: string;
  readonly type: string;
  readonly at: string;
  readonly details: Record<string, unknown>;
}

const LEASES_SHOWN = 10;

/** Reads what belongs to a page of instances in four statements, however long the page is. */
export async function readContext(
  sql: Sql,
  page: readonly InstanceRow[],
  requestId: string | undefined,
): Promise<InstanceContext> {
  const leases = await readLeases(sql, page, requestId ?? null);
  const requestIds = [...new Set(leases.map(({ request_id }) => request_id))];
  const [events, moments, requests] = await Promise.all([
    readLastEvents(sql, page),
    readMoments(sql, page),
    sql.rows<WorkRequestRow & { readonly execution_mode: string }>(
      `select ${workRequestColumns}, m.execution_mode from work_request r join model m on m.id = r.model_id
        where r.id = any($1::bigint[])`,
      [requestIds],
    ),
  ]);
  return {
    leases: Map.groupBy(leases, ({ instance_id }) => instance_id),
    lastEvents: new Map(events.map((event) => [event.instance_id, event])),
    moments: new Map(moments.map((row) => [row.instance_id, row])),
    requests: new Map(requests.map((row) => [row.id, row])),
  };
}

function readLeases(sql: Sql, page: readonly InstanceRow[], requestId: string | null): Promise<LeaseRow[]> {
  return sql.rows(
    `select l.* from unnest($1::text[]) as page (id) cross join lateral (
       select instance_id, request_id, state, requested_at, granted_at, acknowledged_at, released_at, shards, rows,
         peak_memory_bytes, peak_cpu_millicores, usage_samples, outcome
         from instance_lease where instance_id = page.id and ($2::bigint is null or request_id = $2)
        order by granted_at desc limit ${LEASES_SHOWN}) l`,
    [page.map(({ id }) => id), requestId],
  );
}

/** The hub's own: what the host reports besides is in the history. */
function readLastEvents(sql: Sql, page: readonly InstanceRow[]): Promise<EventRow[]> {
  return sql.rows(
    `select e.instance_id, page.model_id, e.event_no, e.source, e.type, e.at, e.details, ${requestAt} as request_id
       from unnest($1::date[], $2::text[], $3::text[]) as page (expires_on, id, model_id)
       cross join lateral (select * from instance_event
         where expires_on = page.expires_on and instance_id = page.id and source = 'hub'
         order by event_no desc limit 1) e`,
    [page.map((row) => row.expires_on), page.map((row) => row.id), page.map((row) => row.model_id)],
  );
}

/**
 * The request that the instance of event `e` worked for at its time. As it works for one at a time only the last one that
 * got it by then can be it: whoever looked on would read all leases of an instance that served for days.
 */
export const requestAt = `(select case when l.released_at is null or l.released_at >= e.at then l.request_id end
  from instance_lease l where l.instance_id = e.instance_id and l.granted_at <= e.at
  order by l.granted_at desc limit 1)`;

/** Moments of a life that stand elsewhere than in the instance's row. */
function readMoments(sql: Sql, page: readonly InstanceRow[]): Promise<MomentsRow[]> {
  return sql.rows(
    `select page.id as instance_id,
       (select min(e.at) from instance_event e where e.expires_on = page.expires_on and e.instance_id = page.id
          and e.type = 'INSTANCE_POD_CREATED') as pod_created_at
       from unnest($1::date[], $2::text[]) as page (expires_on, id)`,
    [page.map((row) => row.expires_on), page.map((row) => row.id)],
  );
}
