import { z } from 'zod';
import { resultFormats } from '../../domain/work-request/write-results.js';
import { listValue, timeValue } from '../http/filter-values.js';

/** Query of the list of requests. Empty filters count as not given. */
export const WorkRequestFilter = z.object({
  id: z.string().optional().describe('exact id'),
  user_id: z.string().optional().describe('only for admins; others see their own requests'),
  model_ids: listValue.optional().describe('one or several, by repeating the key'),
  request_statuses: listValue.optional().describe('one or several, by repeating the key'),
  request_date_from: timeValue.optional().describe('earliest time of submission, UTC'),
  request_date_to: timeValue.optional().describe('latest time of submission, UTC'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional()
    .describe('next_cursor of the page before'),
});
export type WorkRequestFilter = z.infer<typeof WorkRequestFilter>;

/** Query of one request. */
export const WorkRequestQuery = z.object({
  user_id: z
    .string()
    .optional()
    .describe('only for admins: the request is found if it is of this user; others see their own requests'),
  include_result: z.stringbool().optional().describe('give the result of a COMPLETED request'),
  csv_result: z
    .stringbool()
    .optional()
    .describe('the result as lines of CSV; others than admins always get those'),
  format: z
    .enum(resultFormats)
    .optional()
    .describe('answer with the result table itself, as a file; also chosen by the Accept header'),
  bom: z.stringbool().optional().describe('begin CSV and TSV with a byte-order mark, for spreadsheets'),
});
export type WorkRequestQuery = z.infer<typeof WorkRequestQuery>;
