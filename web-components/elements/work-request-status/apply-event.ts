import type { RequestEvent, WorkRequest } from '../../client/api-schemas.js';

type Progress = WorkRequest['progress'];

const counts = [
  'rows',
  'rows_done',
  'rows_failed',
  'rows_invalid',
  'shards',
  'shards_done',
  'attempts',
] as const;

const stateAfter: Partial<Record<RequestEvent['type'], WorkRequest['request_status']>> = {
  waiting: 'SCHEDULING',
  'instance-starting': 'SCHEDULING',
  running: 'PROCESSING',
  progress: 'PROCESSING',
  'out-of-memory': 'SCHEDULING',
  'instance-lost': 'SCHEDULING',
};

/**
 * The request as it is after an event, as far as the event tells. An end is not taken from its event: the record has
 * more to say (reason, times), so it is read again.
 */
export function applyEvent(request: WorkRequest, event: RequestEvent): WorkRequest {
  if (event.event_no <= request.progress.version) return request;
  const progress: Progress = { ...request.progress, version: event.event_no };
  for (const count of counts) {
    const value = event.details[count];
    if (typeof value === 'number') progress[count] = value;
  }
  const request_status = stateAfter[event.type] ?? request.request_status;
  return { ...request, request_status, progress, last_updated: event.at };
}

/** Does the event end the request, so that its record has to be read again? */
export function isEnd(event: RequestEvent): boolean {
  return event.type === 'completed' || event.type === 'failed' || event.type === 'cancelled';
}
