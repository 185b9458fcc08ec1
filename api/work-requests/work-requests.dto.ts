import { z } from 'zod';
import { resultFormats } from '../../domain/work-request/write-results.js';

/** One value or a repeated key. */
const list = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/**
 * A time as the original took it: a date, or date and time. The zone is not looked at; the values mean UTC.
 */
const filterTime = z
  .string()
  .regex(/^[12]\d{3}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?\s*(?:Z|[+-]\d\d:?\d\d)?$/)
  .transform((text) => text.replace(/\s*(?:Z|[+-]\d\d:?\d\d)$/, ''))
  .refine(isRealTime, 'There is no such date or time');

/** Query of the list of requests. Empty filters count as not given. */
export const WorkRequestFilter = z.object({
  id: z.string().optional().describe('exact id'),
  user_id: z.string().optional().describe('only for admins; others see their own requests'),
  model_ids: list.optional().describe('one or several, by repeating the key'),
  request_statuses: list.optional().describe('one or several, by repeating the key'),
  request_date_from: filterTime.optional().describe('earliest time of submission, UTC'),
  request_date_to: filterTime.optional().describe('latest time of submission, UTC'),
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

/** `2026-02-31` matches the pattern and is no day; neither is hour 25. */
function isRealTime(text: string): boolean {
  const padded = `${text.slice(0, 10)}T${(text.slice(11, 19) || '00:00').slice(0, 8)}Z`;
  const time = new Date(padded);
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 10) === text.slice(0, 10);
}
