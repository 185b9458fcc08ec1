import type { RequestEvent } from '../../domain/work-request/work-request.wire.js';

/** Of progress events in a row only the last: it holds all that the ones before said. */
export function withoutStaleProgress(events: readonly RequestEvent[]): RequestEvent[] {
  return events.filter((event, index) => event.type !== 'progress' || events[index + 1]?.type !== 'progress');
}
