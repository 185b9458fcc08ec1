import type { ComposedStatement } from '../../db/database.js';
import { Conditions } from '../../db/queries/conditions.js';
import { isAdmin, type SignedIn } from '../auth/signed-in.js';
import { workRequestColumns } from './work-request-row.js';
import type { WorkRequestFilter } from './work-requests.dto.js';

const INTEGER = /^\d{1,15}$/;

/**
 * Ids grow with time but for a moment, so a time bounds them: without bounds a page from long ago would read everything
 * since. An hour is more than any two processes that write at once, or a clock that is set, may differ.
 */
const since = (
  place: string,
) => `r.created_at >= ${place}::timestamptz and r.id >= coalesce((select id from work_request
  where created_at < ${place}::timestamptz - interval '1 hour' order by created_at desc limit 1), 0)`;
const until = (
  place: string,
) => `r.created_at <= ${place}::timestamptz and r.id <= coalesce((select id from work_request
  where created_at > ${place}::timestamptz + interval '1 hour' order by created_at limit 1), ${Number.MAX_SAFE_INTEGER})`;

/**
 * The statement of one page of the list, newest first: ids grow with time, so they are the order and the cursor. It
 * asks for one row more than the page holds, to know whether there is another.
 */
export function listStatement(filter: WorkRequestFilter, caller: SignedIn): ComposedStatement {
  const conditions = new Conditions();
  conditions.addFor(isAdmin(caller) ? filter.user_id : caller.userId, (place) => `r.user_id = ${place}`);
  if (filter.id !== undefined && !INTEGER.test(filter.id)) conditions.add('false');
  else conditions.addFor(filter.id, (place) => `r.id = ${place}::bigint`);
  conditions.addFor(filter.model_ids, (place) => `r.model_id = any(${place}::text[])`);
  conditions.addFor(filter.request_statuses, (place) => `r.state = any(${place}::text[])`);
  conditions.addFor(filter.request_date_from, since);
  conditions.addFor(filter.request_date_to, until);
  conditions.addFor(filter.cursor, (place) => `r.id < ${place}::bigint`);
  const limit = conditions.place(filter.limit + 1);
  return {
    text: `select ${workRequestColumns} from work_request r ${conditions.where} order by r.id desc limit ${limit}`,
    params: conditions.params,
  };
}
