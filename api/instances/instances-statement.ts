import type { ComposedStatement } from '../../db/database.js';
import { Conditions } from '../../db/queries/conditions.js';
import type { InstanceState, TerminationReason } from '../../domain/instance/instance.js';
import type { Pod } from '../../domain/instance/pod.wire.js';
import { readCursor } from './cursor.js';
import type { InstanceFilter } from './instances.dto.js';

/** A row of `model_instance` as routes read it. */
export interface InstanceRow {
  readonly id: string;
  readonly model_id: string;
  readonly model_revision: number;
  readonly image: string;
  readonly state: InstanceState;
  readonly termination_reason: TerminationReason | null;
  readonly termination_message: string | null;
  readonly host: string;
  readonly node: string | null;
  readonly waiting_reason: string | null;
  readonly waiting_message: string | null;
  readonly exit_code: number | null;
  readonly pod: Pod | null;
  readonly expires_on: string;
  readonly created_at: string;
  readonly ready_at: string | null;
  readonly first_call_at: string | null;
  readonly terminated_at: string | null;
  readonly last_updated: string;
}

const columns = `i.id, i.model_id, i.model_revision, i.image, i.state, i.termination_reason, i.termination_message,
  i.host, i.node, i.waiting_reason, i.waiting_message, i.exit_code, i.pod, i.expires_on, i.created_at,
  i.ready_at, i.first_call_at, i.terminated_at, i.last_updated`;

const podPhase = `(i.pod -> 'state' ->> 'phase')`;

/** What a list is ordered by, the newest first: by its beginning where it is asked for by that. */
export function orderOf({ start_from, start_to }: InstanceFilter): 'created_at' | 'last_updated' {
  return start_from === undefined && start_to === undefined ? 'last_updated' : 'created_at';
}

/**
 * The statement of one page of instances. Each kind of question has an index that holds its order, so that a page reads
 * little more than it shows. It asks for one row more than the page holds, to know whether there is another.
 */
export function instancesStatement(filter: InstanceFilter): ComposedStatement {
  const conditions = new Conditions();
  const order = orderOf(filter);
  conditions.addFor(filter.states, (place) => `i.state = any(${place}::text[])`);
  conditions.addFor(filter.not_states, (place) => `not i.state = any(${place}::text[])`);
  // The partial index of live instances is only used where the condition is spelt like the index's.
  if (isOfLive(filter)) conditions.add(`i.state <> 'TERMINATED'`);
  conditions.addFor(filter.model_id, (place) => `i.model_id = ${place}`);
  conditions.addFor(filter.instance_id, (place) => `i.id = ${place}`);
  conditions.addFor(
    filter.work_request_id,
    (place) => `i.id in (select instance_id from instance_lease where request_id = ${place}::bigint)`,
  );
  conditions.addFor(filter.start_from, (place) => `i.created_at >= ${place}::timestamptz`);
  conditions.addFor(filter.start_to, (place) => `i.created_at <= ${place}::timestamptz`);
  const [phase, ...phases] = filter.pod_status ?? [];
  if (phases.length > 0)
    conditions.addFor(filter.pod_status, (place) => `${podPhase} = any(${place}::text[])`);
  else conditions.addFor(phase, (place) => `${podPhase} = ${place}::text`);
  if (filter.cursor !== undefined) {
    const [at, id] = readCursor(filter.cursor);
    conditions.add(`(i.${order}, i.id) < (${conditions.place(at)}::timestamptz, ${conditions.place(id)})`);
  }
  const limit = conditions.place(filter.limit + 1);
  return {
    text: `select ${columns} from model_instance i ${conditions.where} order by i.${order} desc, i.id desc limit ${limit}`,
    params: conditions.params,
  };
}

/** True when no instance that has ended can be meant. */
function isOfLive({ states, not_states }: InstanceFilter): boolean {
  return not_states?.includes('TERMINATED') === true || states?.includes('TERMINATED') === false;
}
