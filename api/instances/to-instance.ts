import type {
  ExtendedInstance,
  InstanceEvent,
  InstanceMetrics,
} from '../../domain/instance/instance.wire.js';
import { toWorkRequest } from '../work-requests/to-work-request.js';
import type { EventRow, InstanceContext, LeaseRow } from './instance-context.js';
import type { InstanceRow } from './instances-statement.js';

/** An instance as the wire has it, with all that belongs to it. */
export function toInstance(
  row: InstanceRow,
  context: InstanceContext,
  metrics: InstanceMetrics | null,
): ExtendedInstance {
  const leases = context.leases.get(row.id) ?? [];
  const lastEvent = context.lastEvents.get(row.id);
  const request = leases[0] && context.requests.get(leases[0].request_id);
  return {
    model_instance: {
      model_id: row.model_id,
      work_request_id: leases[0]?.request_id ?? null,
      instance_id: row.id,
      instance_details: row.pod,
      state: row.state,
      termination_reason: row.termination_reason,
      termination_message: row.termination_message,
      job_submission_process: leases[0] ? toJob(row, leases[0], request) : null,
      last_updated: row.last_updated,
      host: row.host,
      node: row.node,
      image: row.image,
      model_revision: row.model_revision,
      waiting_reason: row.waiting_reason,
      waiting_message: row.waiting_message,
      exit_code: row.exit_code,
      timings: timingsOf(row, context),
      leases: leases.map(toLease),
    },
    last_event: lastEvent ? toEvent(lastEvent) : null,
    work_request: request ? { ...toWorkRequest(request), request_payload: null } : null,
    metrics,
    resource_profile: null,
    resource_recommendations: null,
  };
}

/** One step of an instance's life as the wire has it. */
export function toEvent(row: EventRow): InstanceEvent {
  return {
    model_id: row.model_id,
    instance_id: row.instance_id,
    correlation_id: row.request_id === null ? null : String(row.request_id),
    instance_details: null,
    log_event: row.type,
    log_timestamp: row.at,
    event_no: row.event_no,
    source: row.source,
    details: row.details,
  };
}

function timingsOf(
  row: InstanceRow,
  context: InstanceContext,
): ExtendedInstance['model_instance']['timings'] {
  const moments = context.moments.get(row.id);
  const scheduled = row.pod?.pod_state.conditions.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'True',
  );
  return {
    requested_at: row.created_at,
    created_at: moments?.pod_created_at ?? null,
    scheduled_at: scheduled?.last_transition_time ?? null,
    ready_at: row.ready_at,
    first_call_at: row.first_call_at,
    terminated_at: row.terminated_at,
  };
}

function toLease(lease: LeaseRow): ExtendedInstance['model_instance']['leases'][number] {
  const { instance_id: _, acknowledged_at: __, request_id: work_request_id, ...rest } = lease;
  return { work_request_id, ...rest };
}

type Job = NonNullable<ExtendedInstance['model_instance']['job_submission_process']>;
type Request = InstanceContext['requests'] extends ReadonlyMap<number, infer Row> ? Row | undefined : never;

function toJob(row: InstanceRow, lease: LeaseRow, request: Request): Job {
  return {
    id: `${row.model_id}_${lease.request_id}`,
    model_id: row.model_id,
    work_request_id: String(lease.request_id),
    job_entries: [],
    retry_count: request?.attempts ?? 0,
    model_execution_mode: request?.execution_mode ?? '',
    job_id: null,
    job_status: jobStatusOf(lease),
    job_status_reason: lease.outcome,
    job_result: null,
    job_submission_timestamp: lease.acknowledged_at,
    job_completion_timestamp: lease.released_at,
  };
}

function jobStatusOf({ state, outcome }: LeaseRow): Job['job_status'] {
  if (state !== 'RELEASED') return 'PENDING';
  return outcome === 'finished' ? 'COMPLETED' : 'FAILED';
}
