import { describe, expect, it } from '@jest/globals';
import { sampleEvent, sampleRequest } from '../../../test/support/wire-samples.js';
import type { WorkflowProgress } from '../../client/api-schemas.js';
import { applyEvent } from './apply-event.js';
import { tellTimeline } from './tell-timeline.js';

const workflow: WorkflowProgress = {
  workflow_id: 'work-request-42-x',
  phase: 'waiting',
  waiting_because: 'All instances are busy.',
  position: 3,
  attempts: 1,
  instance_ids: [],
  stale: false,
  temporal_url: null,
};

/** `name:state` of every step. */
const told = (...story: Parameters<typeof tellTimeline>) =>
  tellTimeline(...story).map(({ name, state }) => `${name}: ${state}`);
const currentStep = (...story: Parameters<typeof tellTimeline>) =>
  tellTimeline(...story).find(({ state }) => state === 'current');

describe('the timeline of a request', () => {
  it('says what a queued request waits for and where it stands', () => {
    const step = currentStep(sampleRequest(), [sampleEvent(1, 'submitted')], workflow);
    expect(step?.name).toBe('Queued');
    expect(step?.detail).toBe('All instances are busy. Number 3 in line.');
  });

  it('takes reason and position from the last event while the workflow says nothing', () => {
    const events = [
      sampleEvent(2, 'waiting', { because: 'The model has its one instance.', position: 4 }),
      sampleEvent(3, 'waiting', { because: 'The model has its one instance.', position: 1 }),
    ];
    const step = currentStep(sampleRequest({ request_status: 'SCHEDULING' }), events, null);
    expect(step?.detail).toBe('The model has its one instance. Next in line.');
  });

  it('follows the instance from start to rows', () => {
    const starting = [sampleEvent(2, 'waiting'), sampleEvent(3, 'instance-starting')];
    const request = sampleRequest({ request_status: 'SCHEDULING' });
    expect(currentStep(request, starting, null)?.name).toBe('Instance starting');
    const running = [...starting, sampleEvent(5, 'running')];
    expect(currentStep(request, running, null)?.name).toBe('Running');
    const steps = tellTimeline(request, running, null);
    const ready = steps.find(({ name }) => name === 'Instance ready');
    expect(ready).toMatchObject({ state: 'done', at: running.at(-1)!.at });
  });

  it('says what keeps the instance from starting, for as long as it starts', () => {
    const request = sampleRequest({ request_status: 'SCHEDULING' });
    const because = 'No node can take the instance yet: 0/3 nodes are available.';
    const stuck = {
      ...workflow,
      phase: 'instance-starting' as const,
      waiting_because: because,
      position: null,
    };
    const starting = [sampleEvent(2, 'instance-starting')];
    expect(currentStep(request, starting, stuck)).toMatchObject({
      name: 'Instance starting',
      detail: because,
    });
    const lost = [...starting, sampleEvent(3, 'instance-lost', { because: 'Its node is gone.' })];
    expect(currentStep(request, lost, stuck)?.detail).toBe(
      'Its node is gone. Rows that were finished are kept.',
    );
  });

  it('goes back to the queue after the instance died, and says why', () => {
    const events = [
      sampleEvent(2, 'instance-starting'),
      sampleEvent(3, 'running'),
      sampleEvent(4, 'out-of-memory', { because: 'The instance had 512 MiB and needs more.' }),
    ];
    const step = currentStep(sampleRequest({ request_status: 'SCHEDULING' }), events, null);
    expect(step?.name).toBe('Queued');
    expect(step?.detail).toBe('The instance had 512 MiB and needs more. Rows that were finished are kept.');
  });

  it('tells a warm run without a start', () => {
    const steps = tellTimeline(
      sampleRequest({ request_status: 'COMPLETED' }),
      [sampleEvent(1, 'submitted'), sampleEvent(2, 'running'), sampleEvent(3, 'completed')],
      null,
    );
    expect(steps.every(({ state }) => state === 'done')).toBe(true);
    expect(steps.find(({ name }) => name === 'Instance starting')?.detail).toBe(
      'Not needed: one was running already.',
    );
  });

  it('ends badly with the reason', () => {
    const request = sampleRequest({
      request_status: 'FAILED',
      request_status_reason: 'The model answered HTML.',
    });
    const last = tellTimeline(request, [sampleEvent(2, 'running'), sampleEvent(3, 'failed')], null).at(-1);
    expect(last).toMatchObject({ name: 'Failed', state: 'failed', detail: 'The model answered HTML.' });
  });

  it('tells a cancelled request as cancelled', () => {
    expect(told(sampleRequest({ request_status: 'CANCELLED' }), [], null)).toContain('Cancelled: failed');
  });

  it('tells no step that a request did not live to see', () => {
    const steps = (...events: Parameters<typeof sampleEvent>[1][]) =>
      tellTimeline(
        sampleRequest({ request_status: 'FAILED', request_status_reason: 'No instance could be started.' }),
        events.map((type, index) => sampleEvent(index + 1, type)),
        null,
      ).map(({ name, state, detail }) => `${name}: ${state}${detail === null ? '' : `, ${detail}`}`);
    const end = 'Failed: failed, No instance could be started.';
    expect(steps('submitted', 'waiting', 'failed')).toEqual([
      'Submitted: done',
      'Queued: done',
      'Instance starting: not-reached',
      'Instance ready: not-reached',
      'Running: not-reached',
      end,
    ]);
    expect(steps('submitted', 'instance-starting', 'failed').slice(2)).toEqual([
      'Instance starting: done',
      'Instance ready: not-reached',
      'Running: not-reached',
      end,
    ]);
    expect(steps('instance-starting', 'running', 'out-of-memory', 'failed').slice(3)).toEqual([
      'Instance ready: done',
      'Running: done',
      end,
    ]);
  });

  it('always has one step where the request stands, none done after it, and no time ahead', () => {
    for (const request_status of ['QUEUED', 'SCHEDULING', 'PROCESSING'] as const) {
      const steps = tellTimeline(sampleRequest({ request_status }), [], workflow);
      const here = steps.findIndex(({ state }) => state === 'current');
      expect(steps.slice(0, here).every(({ state }) => state === 'done')).toBe(true);
      expect(steps.slice(here + 1).every(({ state, at }) => state === 'ahead' && at === null)).toBe(true);
    }
  });
});

describe('a request after an event', () => {
  it('has the counts that the event tells', () => {
    const after = applyEvent(sampleRequest(), sampleEvent(2, 'progress', { rows_done: 400, shards_done: 1 }));
    expect(after.progress).toMatchObject({ rows: 1200, rows_done: 400, shards_done: 1, version: 2 });
    expect(after.request_status).toBe('PROCESSING');
  });

  it('is not set back by an event it has seen', () => {
    const request = sampleRequest({ request_status: 'PROCESSING', progress: { rows_done: 800, version: 9 } });
    expect(applyEvent(request, sampleEvent(4, 'progress', { rows_done: 400 }))).toBe(request);
  });
});
