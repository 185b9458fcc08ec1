import type { InstanceState } from '../../domain/instance/instance.js';
import type { ActivityDependencies } from '../dependencies.js';

/** An instance with what the steps of its life ask of it. */
export interface InstanceRow {
  readonly id: string;
  readonly model_id: string;
  readonly image: string;
  readonly template_version: string;
  readonly state: InstanceState;
  readonly uid: string | null;
  readonly cpu_request_millicores: number;
  readonly cpu_limit_millicores: number;
  readonly memory_request_bytes: number;
  readonly memory_limit_bytes: number | null;
  readonly waiting_reason: string | null;
  readonly waiting_message: string | null;
  readonly waiting_seconds: number | null;
  readonly request_id: number | null;
  readonly age_seconds: number;
  readonly placed_seconds: number | null;
  readonly terminating_seconds: number | null;
}

/** The instance, or null when there is no such row. */
export async function readInstanceRow(
  { database }: ActivityDependencies,
  instanceId: string,
): Promise<InstanceRow | null> {
  const [row] = await database.rows<InstanceRow>(
    `select i.*, m.template_version, l.request_id, extract(epoch from clock_timestamp() - i.created_at)::float8 as age_seconds,
       extract(epoch from clock_timestamp() - i.placed_at)::float8 as placed_seconds,
       extract(epoch from clock_timestamp() - i.waiting_since)::float8 as waiting_seconds,
       extract(epoch from clock_timestamp() - i.terminating_at)::float8 as terminating_seconds
       from model_instance i join model m on m.id = i.model_id
       left join instance_lease l on l.instance_id = i.id and l.state = 'GRANTED' where i.id = $1`,
    [instanceId],
  );
  return row ?? null;
}
