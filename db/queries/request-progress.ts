import type { Failure } from '../../domain/failure.js';
import {
  nextWorkRequestState,
  statesBefore,
  type RequestEventType,
  type WorkRequestMove,
} from '../../domain/work-request/work-request.js';
import type { Sql } from '../database.js';
import { storableJson } from '../storable-text.js';

/** Channel that says "this request changed"; the payload is `<id>:<version>`. A hint: it may be lost. */
export const REQUEST_CHANNEL = 'hub_request';

const eventOfMove: Readonly<Record<WorkRequestMove, RequestEventType | null>> = {
  plan: null,
  run: 'running',
  'wait again': null,
  complete: 'completed',
  fail: 'failed',
  cancel: 'cancelled',
  'queue again': 'submitted',
};

/**
 * Writes one step of a request's progress and tells whoever watches. The event's number is the row's new version.
 */
export async function recordRequestEvent(
  sql: Sql,
  requestId: number,
  type: RequestEventType,
  details: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await sql.rows(
    `with changed as (
       update work_request set version = version + 1, last_updated = now() where id = $1
       returning id, version, expires_on),
     event as (
       insert into work_request_event (expires_on, request_id, event_no, type, details)
       select expires_on, id, version, $2, $3::jsonb from changed)
     select pg_notify('${REQUEST_CHANNEL}', id || ':' || version) from changed`,
    [requestId, type, storableJson(details)],
  );
}

/** What a move may carry: why it failed, what the event says. */
export interface MoveDetails {
  readonly failure?: Failure;
  readonly event?: Readonly<Record<string, unknown>>;
  /** When given, only the run with this key may move the request: an older run is refused. */
  readonly runKey?: string;
}

/**
 * Moves a request to its next state if the database agrees that it may; nothing else writes a state. One statement:
 * state, event and, at an end, statistic are written together or not at all.
 * @returns false when the request was not in a state the move may start from (someone else was first)
 */
export async function moveWorkRequest(
  sql: Sql,
  requestId: number,
  move: WorkRequestMove,
  { failure, event = {}, runKey }: MoveDetails = {},
): Promise<boolean> {
  const to = nextWorkRequestState(statesBefore(move)[0]!, move)!;
  const moved = await sql.rows(moveStatement, [
    requestId,
    to,
    failure ? storableJson(failure) : null,
    statesBefore(move),
    runKey ?? null,
    eventOfMove[move],
    storableJson(failure ? { ...event, failure } : event),
  ]);
  return moved.length > 0;
}

/** The statistic survives the request's deletion, so it copies what statistics ask for. */
const moveStatement = `
  with moved as (
    update work_request set
      state = $2, version = version + 1, last_updated = now(),
      failure = case when $2 in ('FAILED') then $3::jsonb end,
      processed_at = case when $2 in ('COMPLETED', 'FAILED', 'CANCELLED') then now() end
    where id = $1 and state = any($4) and ($5::text is null or run_key = $5)
    returning id, version, expires_on, model_id, user_id, user_kind, session_id, state, failure->>'type' as failure_type,
      row_count, rows_failed, rows_invalid, attempts, created_at, instance_ready_at, job_submitted_at, processed_at),
  event as (
    insert into work_request_event (expires_on, request_id, event_no, type, details)
    select expires_on, id, version, $6::text, $7::jsonb from moved where $6::text is not null),
  statistic as (
    insert into request_statistic (request_id, model_id, user_id, user_kind, session_id, state, failure_type,
      row_count, rows_failed, rows_invalid, attempts, requested_at, instance_ready_at, job_submitted_at, processed_at)
    select id, model_id, user_id, user_kind, session_id, state, failure_type,
      row_count, rows_failed, rows_invalid, attempts, created_at, instance_ready_at, job_submitted_at, processed_at
    from moved where processed_at is not null
    on conflict (request_id) do update set state = excluded.state, failure_type = excluded.failure_type,
      rows_failed = excluded.rows_failed, rows_invalid = excluded.rows_invalid, attempts = excluded.attempts,
      instance_ready_at = excluded.instance_ready_at, job_submitted_at = excluded.job_submitted_at,
      processed_at = excluded.processed_at)
  select pg_notify('${REQUEST_CHANNEL}', id || ':' || version) from moved`;
