import type { Database, Sql } from '../../db/database.js';
import { REQUEST_CHANNEL } from '../../db/queries/request-progress.js';
import type { InputVerdict } from '../../domain/work-request/work-request.wire.js';
import type { SignedIn } from '../auth/signed-in.js';
import type { StoredShard } from './plan-submission.js';
import { workRequestColumns, type WorkRequestRow } from './work-request-row.js';

/** All that is written when a request is accepted. */
export interface NewWorkRequest {
  readonly owner: SignedIn;
  readonly modelId: string;
  /** Days until it expires; 0 keeps it for ever. */
  readonly retentionDays: number;
  readonly verdict: InputVerdict;
  readonly cacheOptIn: boolean;
  readonly shards: readonly StoredShard[];
  readonly userAgent: string | null;
}

/** Shards per statement: at most some 4 MB. */
const SHARDS_PER_STATEMENT = 50;

/**
 * Writes an accepted request with its shards and its first event, all or nothing. A small one is a single statement:
 * that is a round trip instead of five.
 */
export async function insertWorkRequest(
  database: Database,
  request: NewWorkRequest,
): Promise<WorkRequestRow> {
  const first = request.shards.slice(0, SHARDS_PER_STATEMENT);
  const rest = request.shards.slice(SHARDS_PER_STATEMENT);
  if (rest.length === 0) return insertRequest(database, request, first);
  return database.transaction(async (sql) => {
    const row = await insertRequest(sql, request, first);
    for (let at = 0; at < rest.length; at += SHARDS_PER_STATEMENT)
      await insertShards(sql, row, rest.slice(at, at + SHARDS_PER_STATEMENT));
    return row;
  });
}

async function insertRequest(
  sql: Sql,
  request: NewWorkRequest,
  shards: readonly StoredShard[],
): Promise<WorkRequestRow> {
  const params = requestParams(request);
  const [row] = await sql.rows<WorkRequestRow>(
    `with r as (
       insert into work_request (user_id, user_kind, session_id, model_id, expires_on, verdict, column_names,
         smiles_column, has_header, cache_opt_in, row_count, shard_count, tracking, version)
       values ($1, $2, $3, $4, case when $5::int = 0 then 'infinity'::date else current_date + $5::int end, $6, $7,
         $8, $9, $10, $11, $12, $13, 1)
       returning *),
     shard as (
       insert into work_request_shard (expires_on, request_id, shard_no, first_row, row_count, input)
       select r.expires_on, r.id, s.* from r, (values ${shardValues(shards, params.length)}) s),
     event as (
       insert into work_request_event (expires_on, request_id, event_no, type, details)
       select expires_on, id, version, 'submitted', jsonb_build_object('rows', row_count) from r)
     select ${workRequestColumns}, r.verdict, pg_notify('${REQUEST_CHANNEL}', r.id || ':' || r.version) from r`,
    [...params, ...shardParams(shards)],
  );
  return row!;
}

async function insertShards(sql: Sql, row: WorkRequestRow, shards: readonly StoredShard[]): Promise<void> {
  await sql.rows(
    `insert into work_request_shard (expires_on, request_id, shard_no, first_row, row_count, input)
     select $1::date, $2::bigint, s.* from (values ${shardValues(shards, 2)}) s`,
    [row.expires_on, row.id, ...shardParams(shards)],
  );
}

function requestParams(request: NewWorkRequest): unknown[] {
  const { owner, verdict, shards } = request;
  return [
    owner.userId,
    owner.kind,
    owner.sessionId,
    request.modelId,
    request.retentionDays,
    JSON.stringify(verdict),
    JSON.stringify(verdict.column_names),
    verdict.column?.index ?? 0,
    verdict.header,
    request.cacheOptIn,
    verdict.row_count,
    shards.length,
    JSON.stringify({ user_agent: request.userAgent }),
  ];
}

/** `($14::int, …), ($18::int, …)`: one group for each shard, after `offset` other parameters. */
function shardValues(shards: readonly StoredShard[], offset: number): string {
  return shards
    .map((_, index) => {
      const at = offset + index * 4;
      return `($${at + 1}::int, $${at + 2}::int, $${at + 3}::int, $${at + 4}::bytea)`;
    })
    .join(', ');
}

const shardParams = (shards: readonly StoredShard[]) =>
  shards.flatMap(({ shardNo, firstRow, rowCount, input }) => [shardNo, firstRow, rowCount, input]);
