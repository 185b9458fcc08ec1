/**
 * The order of effects of a request, with effects that are played by the test; what the effects themselves do is shown
 * in test/work-requests/ on a real database.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type {
  ClaimStatus,
  ProcessWorkRequestEffects,
} from '../../activities/process-work-request.effects.js';
import { leaseChangedSignal, requestProgressQuery } from '../../workflows/process-work-request.messages.js';
import { startTimeSkipping } from '../support/temporal.js';
import { withWorker } from '../support/workflow-run.js';

const granted = (
  leaseToken: string,
  over: Partial<Extract<ClaimStatus, { type: 'granted' }>> = {},
): ClaimStatus => ({
  type: 'granted',
  leaseToken,
  instanceId: `instance-of-${leaseToken}`,
  small: false,
  ready: true,
  ...over,
});
const waiting = (leaseToken: string, position = 3): ClaimStatus => ({
  type: 'waiting',
  leaseToken,
  because: 'The hub is full.',
  position,
});

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(async () => {
  await environment.teardown();
});

/** Plays the effects a story needs, writes down every call, and fails the story on any other. */
function play(parts: Partial<ProcessWorkRequestEffects>): { calls: string[]; activities: object } {
  const calls: string[] = [];
  const names = [
    'beginWorkRequest',
    'claimSlice',
    'readClaim',
    'runSmall',
    'runLease',
    'settleLease',
    'endWorkRequest',
    'releaseRun',
    'abandonWorkRequest',
  ] as const;
  const activities = Object.fromEntries(
    names.map((name) => [
      name,
      async (...args: unknown[]) => {
        calls.push(typeof args[0] === 'string' ? `${name} ${args[0]}` : name);
        const part = parts[name] as ((...given: unknown[]) => Promise<unknown>) | undefined;
        if (!part) throw ApplicationFailure.nonRetryable(`the story has no ${name}`);
        return part(...args);
      },
    ]),
  );
  return { calls, activities };
}

async function tell(
  parts: Partial<ProcessWorkRequestEffects>,
  meanwhile: (handle: WorkflowHandle) => Promise<void> = async () => undefined,
): Promise<string[]> {
  const { calls, activities } = play(parts);
  await withWorker(environment, activities, async (taskQueue) => {
    const handle = await environment.client.workflow.start('processWorkRequest', {
      taskQueue,
      workflowId: `work-request-${Math.random()}`,
      args: [{ requestId: 1, runKey: 'key' }],
    });
    await meanwhile(handle);
    await handle.result();
  });
  return calls;
}

describe('a request', () => {
  it('that is small and finds a warm instance is two effects', async () => {
    const calls = await tell({
      beginWorkRequest: async () => ({ claim: granted('a', { small: true }), slices: 1 }),
      runSmall: async () => ({ type: 'completed' }),
    });
    expect(calls).toEqual(['beginWorkRequest', 'runSmall a']);
  });

  it('that is small and had to wait is short all the same', async () => {
    const calls = await tell(
      {
        beginWorkRequest: async () => ({ claim: waiting('a'), slices: 1 }),
        readClaim: async () => granted('a', { small: true }),
        runSmall: async () => ({ type: 'completed' }),
      },
      (handle) => handle.signal(leaseChangedSignal),
    );
    expect(calls).toEqual(['beginWorkRequest', 'readClaim a', 'runSmall a']);
  });

  it('runs its lease and ends', async () => {
    const calls = await tell({
      beginWorkRequest: async () => ({ claim: granted('a'), slices: 1 }),
      runLease: async () => ({ type: 'finished' }),
      endWorkRequest: async () => undefined,
    });
    expect(calls).toEqual(['beginWorkRequest', 'runLease a', 'endWorkRequest']);
  });

  it('waits in line, tells its place when asked, and goes on at the first hint', async () => {
    let freed = false;
    const calls = await tell(
      {
        beginWorkRequest: async () => ({ claim: waiting('a'), slices: 1 }),
        readClaim: async () => (freed ? granted('a') : waiting('a', 1)),
        runLease: async () => ({ type: 'finished' }),
        endWorkRequest: async () => undefined,
      },
      async (handle) => {
        let progress = await handle.query(requestProgressQuery);
        while (progress.phase !== 'waiting') progress = await handle.query(requestProgressQuery);
        expect(progress).toMatchObject({ waitingBecause: 'The hub is full.', position: 3, attempts: 0 });
        freed = true;
        await handle.signal(leaseChangedSignal);
      },
    );
    expect(calls).toEqual(['beginWorkRequest', 'readClaim a', 'runLease a', 'endWorkRequest']);
  });

  it('finds out by itself, less and less often, when no hint ever comes', async () => {
    let looks = 0;
    const waits: number[] = [];
    const calls = await tell(
      {
        beginWorkRequest: async () => ({ claim: waiting('a'), slices: 1 }),
        readClaim: async () => (++looks < 7 ? waiting('a') : granted('a')),
        runLease: async () => ({ type: 'finished' }),
        endWorkRequest: async () => undefined,
      },
      async (handle) => {
        await handle.result();
        for (const { timerStartedEventAttributes: timer } of (await handle.fetchHistory()).events ?? [])
          if (timer) waits.push(Number(timer.startToFireTimeout?.seconds));
      },
    );
    expect(calls.filter((call) => call === 'readClaim a')).toHaveLength(7);
    expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900]);
  });

  it('runs again with the next instance after it ran out of memory', async () => {
    const calls = await tell({
      beginWorkRequest: async () => ({ claim: granted('a'), slices: 1 }),
      runLease: async (token) =>
        token === 'a'
          ? { type: 'out-of-memory', memoryLimitBytes: 512, message: 'killed' }
          : { type: 'finished' },
      settleLease: async () => granted('b', { ready: false }),
      endWorkRequest: async () => undefined,
    });
    expect(calls).toEqual([
      'beginWorkRequest',
      'runLease a',
      'settleLease a',
      'runLease b',
      'endWorkRequest',
    ]);
  });

  it('waits in line again when no instance is free after one was lost', async () => {
    const calls = await tell({
      beginWorkRequest: async () => ({ claim: granted('a'), slices: 1 }),
      runLease: async (token) =>
        token === 'a' ? { type: 'lost', crashed: false, message: 'gone' } : { type: 'finished' },
      settleLease: async () => waiting('b'),
      readClaim: async () => granted('b'),
      endWorkRequest: async () => undefined,
    });
    expect(calls).toEqual([
      'beginWorkRequest',
      'runLease a',
      'settleLease a',
      'readClaim b',
      'runLease b',
      'endWorkRequest',
    ]);
  });

  it('whose model answers wrongly is failed by the settlement, and ended by nobody else', async () => {
    const calls = await tell({
      beginWorkRequest: async () => ({ claim: granted('a'), slices: 1 }),
      runLease: async () => ({
        type: 'failed',
        failure: { type: 'ModelError', message: 'HTML' },
        instanceBusy: false,
      }),
      settleLease: async () => ({ type: 'ended' }),
      releaseRun: async () => undefined,
    });
    expect(calls).toEqual(['beginWorkRequest', 'runLease a', 'settleLease a', 'releaseRun']);
  });

  it('that outgrows the short path goes on with the long one', async () => {
    const calls = await tell({
      beginWorkRequest: async () => ({ claim: granted('a', { small: true }), slices: 1 }),
      runSmall: async () => ({ type: 'lost', crashed: false, message: 'took too long' }),
      settleLease: async () => granted('b'),
      runLease: async () => ({ type: 'finished' }),
      endWorkRequest: async () => undefined,
    });
    expect(calls).toEqual([
      'beginWorkRequest',
      'runSmall a',
      'settleLease a',
      'runLease b',
      'endWorkRequest',
    ]);
  });

  it('that was ended before it began gives back what it may hold and does nothing else', async () => {
    const calls = await tell({
      beginWorkRequest: async () => ({ claim: { type: 'ended' }, slices: 0 }),
      releaseRun: async () => undefined,
    });
    expect(calls).toEqual(['beginWorkRequest', 'releaseRun']);
  });

  it('of many shards works on several instances at once and ends when all are done', async () => {
    let together = 0;
    let most = 0;
    const calls = await tell({
      beginWorkRequest: async () => ({ claim: granted('s0'), slices: 3 }),
      claimSlice: async (_, slice) => granted(`s${slice}`),
      runLease: async () => {
        most = Math.max(most, (together += 1));
        await Context.current().sleep(50);
        together -= 1;
        return { type: 'finished' };
      },
      endWorkRequest: async () => undefined,
    });
    expect(most).toBeGreaterThan(1);
    expect(calls.filter((call) => call.startsWith('runLease'))).toHaveLength(3);
    expect(calls.at(-1)).toBe('endWorkRequest');
  });

  it('does not wait for a further instance when the first one did all its work', async () => {
    const calls = await tell({
      beginWorkRequest: async () => ({ claim: granted('s0'), slices: 2 }),
      claimSlice: async () => waiting('s1'),
      runLease: async () => ({ type: 'finished' }),
      readClaim: async () => ({ type: 'finished' }),
      endWorkRequest: async () => undefined,
    });
    expect(calls.toSorted()).toEqual([
      'beginWorkRequest',
      'claimSlice',
      'endWorkRequest',
      'readClaim s1',
      'runLease s0',
    ]);
  });

  it.each([
    ['while it waits in line', waiting('a')],
    ['while it runs', granted('a')],
  ])('cancelled %s is abandoned once, and its instance given back', async (_, claim) => {
    const running = Promise.withResolvers<void>();
    const { calls, activities } = play({
      beginWorkRequest: async () => {
        setTimeout(running.resolve, 100);
        return { claim, slices: 1 };
      },
      readClaim: async () => waiting('a'),
      runLease: async () => {
        const context = Context.current();
        const beating = setInterval(() => context.heartbeat(), 100);
        try {
          return await context.cancelled;
        } finally {
          clearInterval(beating);
        }
      },
      abandonWorkRequest: async () => undefined,
    });
    await withWorker(environment, activities, async (taskQueue) => {
      const handle = await environment.client.workflow.start('processWorkRequest', {
        taskQueue,
        workflowId: `work-request-${Math.random()}`,
        args: [{ requestId: 1, runKey: 'key' }],
      });
      await running.promise;
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    });
    expect(calls.filter((call) => call === 'abandonWorkRequest')).toHaveLength(1);
    expect(calls).not.toContain('endWorkRequest');
  });

  it('is repeated effect by effect while the database is away', async () => {
    let failures = 3;
    const calls = await tell({
      beginWorkRequest: async () => {
        if (failures-- > 0) throw new Error('connection refused');
        return { claim: granted('a'), slices: 1 };
      },
      runLease: async () => ({ type: 'finished' }),
      endWorkRequest: async () => undefined,
    });
    expect(calls).toEqual([
      ...Array.from({ length: 4 }, () => 'beginWorkRequest'),
      'runLease a',
      'endWorkRequest',
    ]);
  });
});
