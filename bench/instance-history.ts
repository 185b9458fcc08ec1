import type { Sql } from '../db/database.js';

const MODELS = 50;
const DAYS = 30;
/** As many as a cluster's namespace holds. */
const MOST_LIVE = 3_000;
/** Events and requests are read for the instances of one page: the newest ones have them. */
const WITH_EVENTS = 2_000;

/** How many of so many instances have not ended. */
export const liveOf = (count: number) => Math.min(MOST_LIVE, Math.ceil(count / 100));

/** What a hub remembers after `count` instances of thirty days: all but the newest have ended. */
export async function writeInstanceHistory(sql: Sql, count: number): Promise<void> {
  const live = liveOf(count);
  await sql.rows(
    `insert into model (id, image, cpu_request_millicores, cpu_limit_millicores, memory_request_mebibytes,
       memory_limit_mebibytes)
     select 'eos-list' || number, 'models/list', 100, 1000, 512, 512 from generate_series(0, ${MODELS - 1}) number`,
  );
  await sql.rows(
    `insert into model_instance (id, model_id, model_revision, image, host, state, uid, cpu_request_millicores,
       cpu_limit_millicores, memory_request_bytes, memory_limit_bytes, warm_seconds, expires_on, event_count, pod,
       created_at, last_updated)
     select 'instance-' || lpad(number::text, 8, '0'), 'eos-list' || floor(power(random(), 3) * ${MODELS}), 1, 'image',
       'bench', case when number <= $1::integer - $2::integer then 'TERMINATED' when number % 60 = 0 then 'INITIALIZING'
         else 'ACTIVE' end,
       'uid-' || number, 100, 1000, 1, 2, 60, current_date + 1, 2,
       jsonb_build_object('name', 'model-' || number, 'padding', repeat(md5(number::text), 12), 'state',
         jsonb_build_object('phase', case when number > $1::integer - $2::integer
             then case when number % 60 = 0 then 'Pending' else 'Running' end
           else (array['Running', 'Running', 'Running', 'Succeeded', 'Failed'])[1 + number % 5] end),
         'pod_state', jsonb_build_object('conditions', '[]'::jsonb)),
       begun, begun + random() * interval '1 hour'
      from generate_series(1, $1::integer) number,
        lateral (select now() - ($1::integer - number) * interval '${DAYS} days' / $1::integer as begun) times`,
    [count, live],
  );
  await sql.rows(
    `insert into instance_lease (lease_token, request_id, run_key, slice, user_id, model_id, state, instance_id,
       requested_at, granted_at, released_at)
     select 'lease-' || id, right(id, 8)::integer, 'run', 0, 'user', model_id, 'RELEASED', id, created_at, created_at,
       last_updated from model_instance`,
  );
  await sql.rows(
    `insert into instance_usage (instance_id, model_id, namespace, last_sampled_at, cpu_count, cpu_total, cpu_min,
       cpu_max, memory_count, memory_total, memory_min, memory_max)
     select id, model_id, 'bench', last_updated, 1, 1, 1, 1, 1, 1, 1, 1 from model_instance`,
  );
  await writeNewest(sql);
  for (const table of [
    'model_instance',
    'instance_lease',
    'instance_usage',
    'instance_event',
    'work_request',
  ])
    await sql.rows(`analyze ${table}`);
}

async function writeNewest(sql: Sql): Promise<void> {
  const newest = `select id, expires_on, created_at from model_instance order by last_updated desc limit ${WITH_EVENTS}`;
  await sql.rows(
    `insert into instance_event (expires_on, instance_id, event_no, source, type, at)
     select expires_on, id, number, case number when 1 then 'hub' else 'cluster' end, 'EVENT', created_at
       from (${newest}) newest, generate_series(1, 2) number`,
  );
  await sql.rows(
    `insert into work_request (id, user_id, user_kind, session_id, model_id, state, expires_on, shard_count, row_count,
       column_names)
     select right(id, 8)::integer, 'user', 'guest', 'session', 'eos-list0', 'COMPLETED', 'tomorrow', 1, 1, '["smiles"]'
       from (${newest}) newest`,
  );
}
