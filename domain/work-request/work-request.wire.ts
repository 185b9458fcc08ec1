import { z } from 'zod';
import { headerModes } from './input-verdict.js';
import { problemKinds } from './input-problems.js';
import { delimiters } from './delimiters.js';
import { requestEventTypes, workRequestStates } from './work-request.js';

/** UTC, 6 decimals, `Z`. */
const Instant = z.string().describe('UTC time, 6 decimals, e.g. 2026-02-03T04:05:06.123456Z');
const Nullable = <Inner extends z.ZodType>(schema: Inner) => schema.nullable();

/** Body of `POST /api/work-requests` as JSON. Unknown fields are ignored. */
export const SubmitWorkRequest = z
  .object({
    model_id: z.string().min(1).max(200).describe('id of the model to run'),
    request_payload: z.object({
      entries: z
        .array(z.string())
        .min(1)
        .describe('lines of input, as in a file: one molecule or one row each'),
      cache_opt_in: z.boolean().default(false).describe('may results be kept for other requests'),
      has_header: z.boolean().nullish().describe('is the first entry a header; absent: the hub judges'),
      column: z
        .string()
        .max(200)
        .nullish()
        .describe('name or 1-based number of the SMILES column; absent: the hub judges'),
    }),
  })
  .meta({ id: 'SubmitWorkRequest' });
export type SubmitWorkRequest = z.infer<typeof SubmitWorkRequest>;

/** Query of a raw-body submission or check. */
export const RawSubmitQuery = z.object({
  model_id: z.string().min(1).max(200).optional(),
  header: z.enum(headerModes).default('auto').describe('is the first line a header'),
  column: z.string().max(200).optional().describe('name or 1-based number of the SMILES column'),
  cache_opt_in: z.stringbool().default(false).optional(),
});
export type RawSubmitQuery = z.infer<typeof RawSubmitQuery>;

/** What the hub made of an input, and what is wrong with it. */
export const InputVerdict = z
  .object({
    delimiter: z.enum(delimiters),
    header: z.boolean(),
    header_because: z.string(),
    column: z
      .object({ index: z.number().int(), name: z.string() })
      .nullable()
      .describe('the SMILES column, 0-based'),
    column_because: z.string(),
    column_names: z.array(z.string()),
    row_count: z.number().int(),
    invalid_count: z.number().int().describe('rows among those judged that are no molecule'),
    empty_count: z.number().int(),
    duplicate_count: z.number().int(),
    judged_rows: z
      .number()
      .int()
      .describe('rows whose molecules were read for this verdict; the rest is judged while running'),
    problems: z
      .array(
        z.object({
          line: z.number().int().describe('line number in the input as sent, 1-based'),
          kind: z.enum(problemKinds),
          message: z.string(),
        }),
      )
      .describe('the first problems of each kind'),
    preview: z.array(z.array(z.string())).describe('the first 5 rows, by column'),
    row_limit: z.number().int(),
    warning: Nullable(z.string()).describe('a doubt that does not stand in the way'),
    refusal: Nullable(z.string()).describe('why the input can not be submitted; null when it can'),
    acceptable: z.boolean().describe('would a submission of this input be accepted'),
  })
  .meta({ id: 'InputVerdict' });
export type InputVerdict = z.infer<typeof InputVerdict>;

/** A work request as every route gives it. */
export const WorkRequest = z
  .object({
    id: z.number().int(),
    model_id: z.string(),
    user_id: z.string(),
    request_payload: z
      .object({ entries: z.array(z.string()), cache_opt_in: z.boolean(), has_header: z.boolean() })
      .describe('entries is [] in lists and above 1,000 rows'),
    request_date: Instant,
    metadata: z.object({ job_data: z.object({ model_version: Nullable(z.string()) }) }),
    request_status: z.enum(workRequestStates),
    request_status_reason: Nullable(z.string()),
    model_job_id: Nullable(z.string()),
    last_updated: Instant,
    result: Nullable(z.array(z.unknown())),
    pod_ready_timestamp: Nullable(Instant),
    job_submission_timestamp: Nullable(Instant),
    processed_timestamp: Nullable(Instant),
    input_size: z.number().int(),
    server_id: Nullable(z.string()),
    verdict: Nullable(InputVerdict).describe('what the hub made of the input'),
    progress: z.object({
      rows: z.number().int(),
      rows_done: z.number().int(),
      rows_failed: z.number().int(),
      rows_invalid: z.number().int(),
      shards: z.number().int(),
      shards_done: z.number().int(),
      attempts: z.number().int(),
      version: z.number().int().describe('grows with every change; the id of its last event'),
    }),
  })
  .meta({ id: 'WorkRequest' });
export type WorkRequest = z.infer<typeof WorkRequest>;

export const WorkRequestList = z
  .object({ items: z.array(WorkRequest), next_cursor: Nullable(z.string()) })
  .meta({ id: 'WorkRequestList' });

/** One step of a request's progress. On the stream the SSE event name is the type, the SSE id the number. */
export const RequestEvent = z
  .object({
    request_id: z.number().int(),
    event_no: z.number().int(),
    type: z.enum(requestEventTypes),
    at: Instant,
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'RequestEvent' });
export type RequestEvent = z.infer<typeof RequestEvent>;

/** Where a request stands now, by its rows and its workflow; `stale` when no worker answered for the workflow. */
export const WorkflowProgress = z
  .object({
    workflow_id: z.string(),
    phase: z.enum(['starting', 'waiting', 'instance-starting', 'running', 'finished']),
    waiting_because: Nullable(z.string()).describe(
      'what the request waits for in line, or what keeps its instance from starting; a sentence',
    ),
    position: Nullable(z.number().int()).describe('place in line among those who wait for the same, from 1'),
    attempts: z.number().int(),
    instance_ids: z.array(z.string()),
    stale: z.boolean(),
    temporal_url: Nullable(z.string()).describe('the workflow in the Temporal UI, for operators'),
  })
  .meta({ id: 'WorkflowProgress' });
export type WorkflowProgress = z.infer<typeof WorkflowProgress>;
