import { Migration } from '@mikro-orm/migrations';

/** Accounts, models, requests with their shards and events, instances with their leases, and who leads. */
export class Migration0001Spine extends Migration {
  override up(): void {
    for (const statement of [...accounts, ...models, ...requests, ...instances, ...leadership]) {
      this.addSql(statement);
    }
  }

  override down(): void {
    for (const table of tables) this.addSql(`drop table if exists ${table} cascade`);
  }
}

const tables = [
  'leader',
  'instance_log',
  'instance_event',
  'instance_lease',
  'model_instance',
  'request_statistic',
  'work_request_event',
  'work_request_shard',
  'work_request',
  'model',
  'user_usage',
  'user_permission',
  'user_session',
  'app_user',
];

const accounts = [
  `create table app_user (
    id text primary key default uuidv7()::text,
    kind text not null check (kind in ('registered', 'guest')),
    username text not null,
    first_name text not null,
    last_name text not null,
    email text null,
    password_hash text null,
    sign_up_date timestamptz not null default now(),
    last_updated timestamptz not null default now()
  )`,
  `create unique index app_user_username on app_user (lower(username)) where kind = 'registered'`,
  `create table user_session (
    session_id text primary key,
    user_id text not null references app_user (id) on delete cascade,
    token_sha256 bytea not null,
    auth_type text not null check (auth_type in ('ErsiliaUser', 'ErsiliaAnonymous')),
    max_age_seconds integer not null,
    start_time timestamptz not null default now(),
    expires_at timestamptz not null
  )`,
  `create unique index user_session_token on user_session (token_sha256)`,
  `create index user_session_user on user_session (user_id)`,
  `create index user_session_expires on user_session (expires_at)`,
  `create table user_permission (
    user_id text not null references app_user (id) on delete cascade,
    permission text not null,
    last_updated timestamptz not null default now(),
    primary key (user_id, permission)
  )`,
  // Decayed seconds of instance time, the fair order between users; as_of is when the figure was true.
  `create table user_usage (
    user_id text primary key,
    decayed_seconds double precision not null default 0,
    as_of timestamptz not null default now()
  ) with (fillfactor = 70)`,
];

const models = [
  `create table model (
    id text primary key,
    enabled boolean not null default true,
    revision integer not null default 1,
    template_version text not null default '0.0.0',
    description text not null default '',
    execution_mode text not null default 'ASYNC' check (execution_mode in ('SYNC', 'ASYNC')),
    image text not null,
    image_tag text not null default 'latest',
    cpu_request_millicores integer not null,
    cpu_limit_millicores integer not null,
    memory_request_mebibytes integer not null,
    memory_limit_mebibytes integer not null,
    disable_memory_limit boolean not null default false,
    max_instances integer not null default -1 check (max_instances >= -1),
    warm_seconds integer not null default 60 check (warm_seconds >= 0),
    cache_enabled boolean not null default false,
    columns jsonb not null default '[]'::jsonb,
    citation text null,
    identification_details jsonb null,
    last_updated timestamptz not null default now()
  )`,
];

const requests = [
  `create table work_request (
    id bigserial primary key,
    run_key text not null default gen_random_uuid()::text,
    user_id text not null,
    user_kind text not null check (user_kind in ('registered', 'guest')),
    session_id text not null,
    model_id text not null references model (id),
    state text not null default 'QUEUED' check (state in ('QUEUED', 'SCHEDULING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    failure jsonb null,
    version integer not null default 0,
    expires_on date not null,
    verdict jsonb null,
    column_names jsonb not null default '[]'::jsonb,
    smiles_column integer not null default 0,
    result_columns jsonb null,
    cache_opt_in boolean not null default false,
    has_header boolean not null default false,
    row_count integer not null default 0,
    shard_count integer not null default 0,
    shards_done integer not null default 0,
    rows_done integer not null default 0,
    rows_failed integer not null default 0,
    rows_invalid integer not null default 0,
    slices integer not null default 1,
    attempts integer not null default 0,
    attempts_without_progress integer not null default 0,
    memory_kills integer not null default 0,
    memory_bytes bigint null,
    model_version text null,
    tracking jsonb not null default '{}'::jsonb,
    created_at timestamptz not null default now(),
    last_updated timestamptz not null default now(),
    last_started_at timestamptz null,
    instance_ready_at timestamptz null,
    job_submitted_at timestamptz null,
    processed_at timestamptz null
  ) with (fillfactor = 70)`,
  `create index work_request_user on work_request (user_id, id desc)`,
  `create index work_request_model on work_request (model_id, id desc)`,
  `create index work_request_open on work_request (id) where state in ('QUEUED', 'SCHEDULING', 'PROCESSING')`,
  `create index work_request_created on work_request (created_at)`,
  `create index work_request_expires on work_request (expires_on)`,
  `create table work_request_shard (
    expires_on date not null,
    request_id bigint not null,
    shard_no integer not null,
    state text not null default 'PENDING',
    lease_token text null,
    first_row integer not null,
    row_count integer not null,
    attempt integer not null default 0,
    job_id text null,
    error text null,
    rows_failed integer not null default 0,
    rows_invalid integer not null default 0,
    input bytea not null,
    result bytea null,
    primary key (expires_on, request_id, shard_no)
  ) partition by range (expires_on)`,
  // Stored compressed by the hub already: trying again costs time and gains nothing.
  `alter table work_request_shard alter column input set storage external, alter column result set storage external`,
  `create table work_request_shard_infinity partition of work_request_shard for values from ('infinity') to (maxvalue)`,
  `create table work_request_event (
    expires_on date not null,
    request_id bigint not null,
    event_no integer not null,
    type text not null,
    at timestamptz not null default now(),
    details jsonb not null default '{}'::jsonb,
    primary key (expires_on, request_id, event_no)
  ) partition by range (expires_on)`,
  `create table work_request_event_infinity partition of work_request_event for values from ('infinity') to (maxvalue)`,
  `create table request_statistic (
    request_id bigint primary key,
    model_id text not null,
    user_id text not null,
    user_kind text not null,
    session_id text not null,
    state text not null,
    failure_type text null,
    row_count integer not null,
    rows_failed integer not null,
    rows_invalid integer not null,
    attempts integer not null,
    requested_at timestamptz not null,
    instance_ready_at timestamptz null,
    job_submitted_at timestamptz null,
    processed_at timestamptz not null
  )`,
  `create index request_statistic_model on request_statistic (model_id, processed_at)`,
];

const instances = [
  `create table model_instance (
    id text primary key,
    model_id text not null,
    model_revision integer not null,
    image text not null,
    state text not null default 'REQUESTED' check (state in ('REQUESTED', 'INITIALIZING', 'WAITING_FOR_READINESS', 'ACTIVE', 'SHOULD_TERMINATE', 'TERMINATING', 'TERMINATED')),
    termination_reason text null,
    termination_message text null,
    host text not null,
    uid text null,
    resource_version bigint not null default 0,
    address text null,
    node text null,
    waiting_reason text null,
    waiting_message text null,
    exit_code integer null,
    cpu_request_millicores integer not null,
    cpu_limit_millicores integer not null,
    memory_request_bytes bigint not null,
    memory_limit_bytes bigint null,
    warm_seconds integer not null,
    model_version text null,
    peak_memory_bytes bigint null,
    event_count integer not null default 0,
    expires_on date not null,
    created_at timestamptz not null default now(),
    ready_at timestamptz null,
    idle_since timestamptz null,
    terminated_at timestamptz null,
    last_updated timestamptz not null default now()
  ) with (fillfactor = 70)`,
  `create index model_instance_live on model_instance (model_id) where state <> 'TERMINATED'`,
  `create index model_instance_created on model_instance (created_at desc, id desc)`,
  `create table instance_lease (
    lease_token text primary key,
    request_id bigint not null,
    run_key text not null,
    slice integer not null,
    user_id text not null,
    model_id text not null,
    memory_bytes bigint null,
    state text not null default 'WAITING' check (state in ('WAITING', 'GRANTED', 'RELEASED')),
    instance_id text null,
    requested_at timestamptz not null default now(),
    granted_at timestamptz null,
    acknowledged_at timestamptz null,
    released_at timestamptz null,
    charged_seconds double precision not null default 0,
    shards integer not null default 0,
    rows integer not null default 0,
    peak_memory_bytes bigint null,
    cpu_seconds double precision null,
    outcome text null
  ) with (fillfactor = 70)`,
  // The database decides: one instance works for one request at a time, one claim per slice of a run.
  `create unique index instance_lease_instance on instance_lease (instance_id) where state = 'GRANTED'`,
  `create unique index instance_lease_slice on instance_lease (request_id, run_key, slice) where state <> 'RELEASED'`,
  `create index instance_lease_waiting on instance_lease (requested_at) where state = 'WAITING'`,
  `create index instance_lease_request on instance_lease (request_id)`,
  `create index instance_lease_history on instance_lease (instance_id, granted_at)`,
  `create table instance_event (
    expires_on date not null,
    instance_id text not null,
    event_no integer not null,
    source text not null,
    type text not null,
    at timestamptz not null default now(),
    details jsonb not null default '{}'::jsonb,
    primary key (expires_on, instance_id, event_no)
  ) partition by range (expires_on)`,
  `create table instance_event_infinity partition of instance_event for values from ('infinity') to (maxvalue)`,
  `create table instance_log (
    expires_on date not null,
    instance_id text not null,
    log bytea not null,
    kept_at timestamptz not null default now(),
    primary key (expires_on, instance_id)
  ) partition by range (expires_on)`,
  `create table instance_log_infinity partition of instance_log for values from ('infinity') to (maxvalue)`,
];

const leadership = [
  // An expiring, fenced row: a frozen process can't keep it, and its stale writes carry an old fence.
  `create table leader (
    name text primary key,
    holder text not null,
    fence bigint not null,
    expires_at timestamptz not null
  )`,
];
