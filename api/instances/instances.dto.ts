import { z } from 'zod';
import { instanceStates } from '../../domain/instance/instance.js';
import { instantValue, listValue, timeValue } from '../http/filter-values.js';
import { cursorValue } from './cursor.js';

const states = listValue.pipe(z.array(z.enum(instanceStates)));
const requestId = z
  .string()
  .regex(/^\d{1,15}$/, 'Must be the id of a request')
  .describe('instances that work or worked for this request');

/** Query of the list of instances. Empty filters count as not given. */
export const InstanceFilter = z.object({
  states: states.optional().describe('one or several, by repeating the key'),
  not_states: states.optional().describe('one or several, by repeating the key'),
  model_id: z.string().optional(),
  instance_id: z.string().optional(),
  work_request_id: requestId.optional(),
  start_from: timeValue.optional().describe('earliest time at which the instance was asked for, UTC'),
  start_to: timeValue.optional().describe('latest time at which the instance was asked for, UTC'),
  pod_status: listValue
    .optional()
    .describe('phase of the pod (Pending, Running, Succeeded, Failed, Unknown); one or several'),
  load_resource_profiles: z.stringbool().optional(),
  load_recommendations: z.stringbool().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: cursorValue.optional(),
});
export type InstanceFilter = z.infer<typeof InstanceFilter>;

/** Query of the history: one instance, or all that worked for a request. */
export const HistoryFilter = z.object({
  instance_id: z.string().optional(),
  model_id: z.string().optional(),
  work_request_id: requestId.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: cursorValue.optional(),
});
export type HistoryFilter = z.infer<typeof HistoryFilter>;

const lineCount = z.coerce.number().int().min(0).max(1_000_000);

/** Which lines of a log. */
const lineFilter = {
  since: instantValue.optional().describe('no lines before this time'),
  until: instantValue.optional().describe('no lines after this time'),
  tail: lineCount.optional().describe('the last lines, that many'),
  head: lineCount.optional().describe('the first lines, that many; not looked at with tail'),
};

const download = z
  .stringbool()
  .default(false)
  .describe('as a file of plain text with a name, as a link of a page needs it');

/** Query of a log: one instance's, or that of the work for a request. */
export const LogFilter = z.object({
  instance_id: z.string().optional(),
  model_id: z.string().optional(),
  work_request_id: requestId.optional(),
  ...lineFilter,
  download,
});
export type LogFilter = Omit<z.infer<typeof LogFilter>, 'download'>;

/** Query of the log of the instance in the path. */
export const InstanceLogFilter = z.object({
  ...lineFilter,
  download,
  follow: z
    .stringbool()
    .default(false)
    .describe('go on with each line as it is written, as plain text; head and until are not looked at'),
});
export type InstanceLogFilter = z.infer<typeof InstanceLogFilter>;

/** Body of an action on an instance. */
export const InstanceAction = z
  .object({
    action: z.string().describe('STOP_INSTANCE'),
    model_id: z.string().nullish(),
    work_request_id: z
      .union([z.string(), z.number().int()])
      .nullish()
      .describe('with model_id: the instance that works for this request'),
    instance_id: z.string().nullish().describe('the instance itself, instead of model and request'),
    reason: z.string().max(1000).nullish().describe('kept with who did it'),
  })
  .meta({ id: 'InstanceAction' });
export type InstanceAction = z.infer<typeof InstanceAction>;

export const ActionResult = z.object({ result: z.string() }).meta({ id: 'ActionResult' });
