import { isAdmin, type SignedIn } from '../auth/signed-in.js';
import { workRequestColumns } from './work-request-row.js';
import type { WorkRequestFilter } from './work-requests.dto.js';

const INTEGER = /^\d{1,15}$/;

/**
 * The statement of one page of the list, newest first: ids grow with time, so they are the order and the cursor. It
 * asks for one row more than the page holds, to know whether there is another.
 */
export function listStatement(
  filter: WorkRequestFilter,
  caller: SignedIn,
): { text: string; params: unknown[] } {
  const params: unknown[] = [];
  const conditions: string[] = [];
  const add = (condition: (place: string) => string, value: unknown) => {
    if (value === undefined) return;
    params.push(value);
    conditions.push(condition(`$${params.length}`));
  };
  add((place) => `r.user_id = ${place}`, isAdmin(caller) ? filter.user_id : caller.userId);
  if (filter.id !== undefined && !INTEGER.test(filter.id)) conditions.push('false');
  else add((place) => `r.id = ${place}::bigint`, filter.id);
  add((place) => `r.model_id = any(${place}::text[])`, filter.model_ids);
  add((place) => `r.state = any(${place}::text[])`, filter.request_statuses);
  add((place) => `r.created_at >= ${place}::timestamptz`, filter.request_date_from);
  add((place) => `r.created_at <= ${place}::timestamptz`, filter.request_date_to);
  add((place) => `r.id < ${place}::bigint`, filter.cursor);
  params.push(filter.limit + 1);
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  return {
    text: `select ${workRequestColumns} from work_request r ${where} order by r.id desc limit $${params.length}`,
    params,
  };
}
