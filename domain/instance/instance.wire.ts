import { z } from 'zod';
import { WorkRequest } from '../work-request/work-request.wire.js';
import { instanceStates, leaseStates } from './instance.js';
import { Pod } from './pod.wire.js';

const Instant = z.string().describe('UTC time, 6 decimals, e.g. 2026-02-03T04:05:06.123456Z');

/** Figures over all samples of an instance, and over those of the last 60 s; -1 where there is no sample. */
export const RunningAverages = z
  .object({
    count: z.number(),
    total: z.number(),
    min: z.number(),
    max: z.number(),
    avg: z.number(),
    count_60s: z.number(),
    total_60s: z.number(),
    min_60s: z.number(),
    max_60s: z.number(),
    avg_60s: z.number(),
  })
  .meta({ id: 'RunningAverages' });
export type RunningAverages = z.infer<typeof RunningAverages>;

export const InstanceMetrics = z
  .object({
    model_id: z.string(),
    instance_id: z.string(),
    namespace: z.string(),
    cpu_running_averages: RunningAverages.describe('CPU rate in millicores'),
    memory_running_averages: RunningAverages.describe('working set in bytes'),
  })
  .meta({ id: 'InstanceMetrics' });
export type InstanceMetrics = z.infer<typeof InstanceMetrics>;

/** One step in the life of an instance: the hub's own, or what its cluster reports of it. */
export const InstanceEvent = z
  .object({
    model_id: z.string(),
    instance_id: z.string(),
    correlation_id: z.string().nullable().describe('id of the request it worked for at that time'),
    instance_details: Pod.nullable().describe('always null: details hold what was seen'),
    log_event: z.string().describe('INSTANCE_… of the hub, or the reason that the cluster gave'),
    log_timestamp: Instant,
    event_no: z.number().int(),
    source: z.string().describe('hub, or cluster for what its host reports'),
    details: z
      .record(z.string(), z.unknown())
      .describe('facts of the step; of the cluster its type, message and the raw event'),
  })
  .meta({ id: 'InstanceEvent' });
export type InstanceEvent = z.infer<typeof InstanceEvent>;

export const InstanceHistory = z
  .object({ history: z.array(InstanceEvent), next_cursor: z.string().nullable() })
  .meta({ id: 'InstanceHistory' });

/** An instance working, or having worked, for one request. */
const InstanceLease = z.object({
  work_request_id: z.number().int(),
  state: z.enum(leaseStates),
  requested_at: Instant,
  granted_at: Instant.nullable(),
  released_at: Instant.nullable(),
  shards: z.number().int(),
  rows: z.number().int(),
  peak_memory_bytes: z.number().nullable().describe('null where it was not measured'),
  peak_cpu_millicores: z.number().int().nullable().describe('highest rate; null where it was not measured'),
  usage_samples: z.number().int().describe('looks at what was used, on which the peaks stand'),
  outcome: z.string().nullable(),
});

/** The last work of an instance in the words of the original. */
const JobSubmissionProcess = z.object({
  id: z.string(),
  model_id: z.string(),
  work_request_id: z.string(),
  job_entries: z.array(z.string()).describe('always []: the rows are the request’s'),
  retry_count: z.number().int(),
  model_execution_mode: z.string(),
  job_id: z.string().nullable(),
  job_status: z.enum(['PENDING', 'COMPLETED', 'FAILED']),
  job_status_reason: z.string().nullable(),
  job_result: z.null(),
  job_submission_timestamp: Instant.nullable(),
  job_completion_timestamp: Instant.nullable(),
});

/** When the instance passed each phase of its life; null while it has not. */
const InstanceTimings = z.object({
  requested_at: Instant,
  created_at: Instant.nullable().describe('its host had taken it'),
  scheduled_at: z.string().nullable().describe('it had a node'),
  ready_at: Instant.nullable().describe('its server answered'),
  first_call_at: Instant.nullable().describe('it was given rows for the first time'),
  terminated_at: Instant.nullable(),
});

const ModelInstance = z
  .object({
    model_id: z.string(),
    work_request_id: z.number().int().nullable().describe('the request it works for, or worked for last'),
    instance_id: z.string(),
    instance_details: Pod.nullable(),
    state: z.enum(instanceStates),
    termination_reason: z.string().nullable(),
    termination_message: z.string().nullable(),
    job_submission_process: JobSubmissionProcess.nullable(),
    last_updated: Instant,
    host: z.string(),
    node: z.string().nullable(),
    image: z.string(),
    model_revision: z.number().int(),
    waiting_reason: z.string().nullable().describe('e.g. Unschedulable, ImagePullBackOff'),
    waiting_message: z.string().nullable(),
    exit_code: z.number().int().nullable(),
    timings: InstanceTimings,
    leases: z.array(InstanceLease).describe('the last ten, newest first'),
  })
  .meta({ id: 'ModelInstance' });

export const ExtendedInstance = z
  .object({
    model_instance: ModelInstance,
    last_event: InstanceEvent.nullable(),
    work_request: WorkRequest.extend({ request_payload: z.null() }).nullable(),
    metrics: InstanceMetrics.nullable().describe('null before the first sample'),
    resource_profile: z.null(),
    resource_recommendations: z.null(),
  })
  .meta({ id: 'ExtendedInstance' });
export type ExtendedInstance = z.infer<typeof ExtendedInstance>;

export const InstanceList = z
  .object({ items: z.array(ExtendedInstance), next_cursor: z.string().nullable() })
  .meta({ id: 'InstanceList' });
export type InstanceList = z.infer<typeof InstanceList>;

export const InstanceLogLines = z.object({ logs: z.array(z.string()) }).meta({ id: 'InstanceLogLines' });
