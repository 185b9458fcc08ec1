import type { RequestEvent, WorkflowProgress, WorkRequest } from '../../client/api-schemas.js';

/** One line of a request's story. */
export interface TimelineStep {
  readonly name: string;
  /** Where the request stands: behind it, here, ahead of it, here for good and badly; or it ended before this step. */
  readonly state: 'done' | 'current' | 'ahead' | 'failed' | 'not-reached';
  /** When the step began, as on the wire; null when unknown or not begun. */
  readonly at: string | null;
  /** A sentence, or null. */
  readonly detail: string | null;
}

type EventType = RequestEvent['type'];

const setbacks: readonly EventType[] = ['out-of-memory', 'instance-lost'];
const setbackSentences: Partial<Record<EventType, string>> = {
  'out-of-memory': 'The instance ran out of memory.',
  'instance-lost': 'The instance was lost.',
};

const phases = [
  'submitted',
  'waiting',
  'instance-starting',
  'instance-ready',
  'running',
  'finished',
] as const;
type Phase = (typeof phases)[number];

const names: Readonly<Record<Phase, string>> = {
  submitted: 'Submitted',
  waiting: 'Queued',
  'instance-starting': 'Instance starting',
  'instance-ready': 'Instance ready',
  running: 'Running',
  finished: 'Done',
};

/** Has the request come to its end, whatever end? */
export function isFinished(request: WorkRequest): boolean {
  return ['COMPLETED', 'FAILED', 'CANCELLED'].includes(request.request_status);
}

/**
 * The story of a request in six steps: submitted, queued, instance starting, instance ready, running, end. After an
 * instance died the story goes on from the queue, and the step says what happened. Steps that an already warm instance
 * made needless are told as done; those that a request did not live to see are told as not reached.
 */
export function tellTimeline(
  request: WorkRequest,
  events: readonly RequestEvent[],
  workflow: WorkflowProgress | null,
): TimelineStep[] {
  const setback = events.findLastIndex(({ type }) => setbacks.includes(type));
  const recent = events.slice(setback + 1);
  const at = phases.indexOf(phaseOf(request, recent));
  const story: Story = { request, workflow, recent, setback: events[setback] ?? null };
  const reached = phases.indexOf(lastReached(request, events));
  return phases.map((phase, index) => {
    const state = index < at ? (index > reached ? 'not-reached' : 'done') : stateFrom(index - at, request);
    const hasBegun = state !== 'ahead' && state !== 'not-reached';
    return {
      name: phase === 'finished' ? endName(request) : names[phase],
      state,
      at: hasBegun ? startOf(phase, request, recent) : null,
      detail: hasBegun ? detailOf(phase, state, story) : null,
    };
  });
}

interface Story {
  readonly request: WorkRequest;
  readonly workflow: WorkflowProgress | null;
  readonly recent: readonly RequestEvent[];
  readonly setback: RequestEvent | null;
}

function phaseOf(request: WorkRequest, recent: readonly RequestEvent[]): Phase {
  if (isFinished(request)) return 'finished';
  const seen = (type: EventType) => recent.some((event) => event.type === type);
  if (request.request_status === 'PROCESSING' || seen('running')) return 'running';
  return seen('instance-starting') ? 'instance-starting' : 'waiting';
}

/** The furthest step before the end that events, times and rows prove; `finished` if nothing was left out. */
function lastReached(request: WorkRequest, events: readonly RequestEvent[]): Phase {
  if (!isFinished(request) || request.request_status === 'COMPLETED') return 'finished';
  const seen = (type: EventType) => events.some((event) => event.type === type);
  if (request.progress.rows_done > 0 || request.job_submission_timestamp !== null || seen('running'))
    return 'running';
  if (request.pod_ready_timestamp !== null) return 'instance-ready';
  return seen('instance-starting') ? 'instance-starting' : 'waiting';
}

/** The state of a step so many steps ahead of where the request stands. */
function stateFrom(stepsAhead: number, request: WorkRequest): 'ahead' | 'done' | 'current' | 'failed' {
  if (stepsAhead > 0) return 'ahead';
  if (request.request_status === 'COMPLETED') return 'done';
  return isFinished(request) ? 'failed' : 'current';
}

function endName(request: WorkRequest): string {
  if (request.request_status === 'FAILED') return 'Failed';
  return request.request_status === 'CANCELLED' ? 'Cancelled' : names.finished;
}

function startOf(phase: Phase, request: WorkRequest, recent: readonly RequestEvent[]): string | null {
  const eventAt = recent.find(({ type }) => type === phase)?.at ?? null;
  if (phase === 'submitted') return request.request_date;
  // An instance that is ready works at once: one event tells both.
  if (phase === 'instance-ready') return startOf('running', request, recent) ?? request.pod_ready_timestamp;
  if (phase === 'running') return eventAt ?? request.job_submission_timestamp;
  if (phase === 'finished') return request.processed_timestamp ?? request.last_updated;
  return eventAt;
}

function detailOf(phase: Phase, state: TimelineStep['state'], story: Story): string | null {
  if (phase === 'waiting') return waitingDetail(state, story);
  if (phase === 'instance-starting') return startingDetail(state, story);
  return phase === 'finished' && state === 'failed' ? story.request.request_status_reason : null;
}

/** What keeps the instance from starting: the cluster has no room for it, or can not get its image. */
function startingDetail(state: TimelineStep['state'], { recent, workflow }: Story): string | null {
  if (state === 'done' && !recent.some(({ type }) => type === 'instance-starting'))
    return 'Not needed: one was running already.';
  return state === 'current' && workflow?.phase === 'instance-starting' ? workflow.waiting_because : null;
}

function waitingDetail(state: TimelineStep['state'], { recent, setback, ...story }: Story): string | null {
  const workflow = story.workflow?.phase === 'waiting' ? story.workflow : lastWaiting(recent);
  const happened = setback === null ? '' : tellSetback(setback);
  if (state !== 'current') return happened || null;
  return [happened, workflow.waiting_because, placeInLine(workflow)].filter(Boolean).join(' ') || null;
}

type Waiting = Pick<WorkflowProgress, 'waiting_because' | 'position'>;

/** What the last event said of the wait, for as long as nothing newer is known. */
function lastWaiting(recent: readonly RequestEvent[]): Waiting {
  const { because, position } = recent.findLast(({ type }) => type === 'waiting')?.details ?? {};
  return {
    waiting_because: typeof because === 'string' ? because : null,
    position: typeof position === 'number' ? position : null,
  };
}

function placeInLine({ position }: Waiting): string {
  if (position === null) return '';
  return position === 1 ? 'Next in line.' : `Number ${position} in line.`;
}

function tellSetback({ type, details }: RequestEvent): string {
  const because = typeof details.because === 'string' ? details.because : setbackSentences[type];
  return `${because} Rows that were finished are kept.`;
}
