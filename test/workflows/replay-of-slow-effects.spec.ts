/**
 * Effects that take longer than a workflow task, or that end in another order than they were asked for. A replay knows
 * their outcomes before anything else: whatever the workflow does must not depend on what came first.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessWorkRequestEffects } from '../../activities/process-work-request.effects.js';
import type { RunModelInstanceEffects } from '../../activities/run-model-instance.effects.js';
import { leaseChangedSignal, processWorkRequestName } from '../../workflows/process-work-request.messages.js';
import { instanceChangedSignal, runModelInstanceName } from '../../workflows/run-model-instance.messages.js';
import { describeWith } from '../support/require-part.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { builtWorkflowBundle } from '../support/workflow-run.js';

/** A task is prolonged at four fifths of this, which writes down what came meanwhile. */
const taskTimeoutMs = 1000;
const slowMs = 2.4 * taskTimeoutMs;
const hintAfterMs = 1.4 * taskTimeoutMs;
const longHistory = 80;

describeWith('temporal')('a replay of slow effects', () => {
  let server: DevServer;
  let connection: Connection;
  let native: NativeConnection;
  beforeAll(async () => {
    server = await startDevServer({ longHistoryEvents: longHistory });
    connection = await Connection.connect({ address: server.address });
    native = await NativeConnection.connect({ address: server.address });
  });
  afterAll(async () => {
    await native.close();
    await connection.close();
    await server.stop();
  });

  /**
   * Runs a workflow whose first effect is slow, hints in the middle of it, and replays what was written down of its first
   * and its last run.
   * @returns events of the first run
   */
  async function runAndReplay(
    name: string,
    args: readonly unknown[],
    activities: object,
    hint: (handle: WorkflowHandle) => Promise<void> = async () => undefined,
    ended: (handle: WorkflowHandle) => Promise<unknown> = (handle) => handle.result(),
  ) {
    const client = new Client({ connection, namespace: server.namespace });
    const taskQueue = `queue-${Math.random()}`;
    const worker = await Worker.create({
      connection: native,
      taskQueue,
      workflowBundle: builtWorkflowBundle,
      activities,
    });
    const histories = await worker.runUntil(async () => {
      const handle = await client.workflow.start(name, {
        taskQueue,
        workflowId: taskQueue,
        workflowTaskTimeout: taskTimeoutMs,
        args: [...args],
      });
      await sleep(hintAfterMs);
      await hint(handle);
      await ended(handle);
      const first = client.workflow.getHandle(taskQueue, handle.firstExecutionRunId);
      return [await first.fetchHistory(), await client.workflow.getHandle(taskQueue).fetchHistory()];
    });
    for (const history of histories)
      await Worker.runReplayHistory({ workflowBundle: builtWorkflowBundle }, history, taskQueue);
    return histories[0]!.events ?? [];
  }

  it('goes the way of a request that was given a hint in the middle of one', async () => {
    const reads: string[] = [];
    const effects: Partial<ProcessWorkRequestEffects> = {
      async beginWorkRequest() {
        await sleep(slowMs);
        return {
          claim: { type: 'waiting', leaseToken: 'a', because: 'The hub is full.', position: 1 },
          slices: 1,
        };
      },
      async readClaim(leaseToken) {
        reads.push(leaseToken);
        return { type: 'granted', leaseToken, instanceId: 'i', small: false, ready: true };
      },
      runLease: async () => ({ type: 'finished' }),
      endWorkRequest: async () => undefined,
    };
    await runAndReplay(processWorkRequestName, [{ requestId: 1, runKey: 'key' }], effects, (handle) =>
      handle.signal(leaseChangedSignal),
    );
    expect(reads).toEqual(['a']);
  });

  it('goes the way of a request whose slices asked at the same time', async () => {
    const waitingFor = (leaseToken: string) =>
      ({ type: 'waiting', leaseToken, because: 'The hub is full.', position: 1 }) as const;
    const grantedTo = (leaseToken: string) =>
      ({ type: 'granted', leaseToken, instanceId: 'i', small: false, ready: true }) as const;
    const effects: Partial<ProcessWorkRequestEffects> = {
      beginWorkRequest: async () => ({ claim: waitingFor('0'), slices: 3 }),
      async claimSlice(_run, slice) {
        if (slice === 2) return grantedTo('2');
        await sleep(300);
        return waitingFor('1');
      },
      readClaim: async (leaseToken) => grantedTo(leaseToken),
      runLease: async () => ({ type: 'finished' }),
      endWorkRequest: async () => undefined,
    };
    await runAndReplay(processWorkRequestName, [{ requestId: 2, runKey: 'key' }], effects);
  });

  it('goes the way of a request that was cancelled and whose work then failed: it is abandoned all the same', async () => {
    const abandoned: unknown[] = [];
    const effects: Partial<ProcessWorkRequestEffects> = {
      beginWorkRequest: async () => ({
        claim: { type: 'granted', leaseToken: 'a', instanceId: 'i', small: false, ready: true },
        slices: 1,
      }),
      async runLease() {
        const context = Context.current();
        const beating = setInterval(() => context.heartbeat(), 100);
        await context.cancelled.catch(() => clearInterval(beating));
        throw new Error('the database is away');
      },
      abandonWorkRequest: async (run) => void abandoned.push(run),
    };
    const run = { requestId: 5, runKey: 'key' };
    const cancel = async (handle: WorkflowHandle) => void (await handle.cancel());
    await runAndReplay(processWorkRequestName, [run], effects, cancel, (handle) =>
      expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } }),
    );
    expect(abandoned).toEqual([run]);
  });

  /** Effects of a request whose first claim waits, or is granted to a slow instance, while another one waits. */
  const playWaiting = (first: 'waits' | 'works') => {
    const waiting = { type: 'waiting', leaseToken: '0', because: 'The hub is full.', position: 1 } as const;
    const granted = { type: 'granted', leaseToken: '0', instanceId: 'i', small: false, ready: true } as const;
    const told = { begun: 0, looks: 0, works: 0 };
    const looksInAll = 25;
    const worked = Promise.withResolvers<void>();
    const effects: Partial<ProcessWorkRequestEffects> = {
      async beginWorkRequest() {
        told.begun += 1;
        return first === 'works' ? { claim: granted, slices: 2 } : { claim: waiting, slices: 1 };
      },
      claimSlice: async () => ({ ...waiting, leaseToken: '1' }),
      async readClaim() {
        told.looks += 1;
        if (told.looks < looksInAll) return first === 'works' ? { ...waiting, leaseToken: '1' } : waiting;
        worked.resolve();
        return first === 'works' ? { type: 'finished' } : granted;
      },
      async runLease() {
        told.works += 1;
        await worked.promise;
        return { type: 'finished' };
      },
      endWorkRequest: async () => undefined,
    };
    const hintOnAndOn = async (handle: WorkflowHandle) => {
      while (told.looks < looksInAll) {
        await handle.signal(leaseChangedSignal);
        await sleep(20);
      }
    };
    return { told, effects, hintOnAndOn };
  };

  it('goes the way of a request that begins anew when its history got long while it waits', async () => {
    const { told, effects, hintOnAndOn } = playWaiting('waits');
    const args = [{ requestId: 3, runKey: 'key' }];
    const events = await runAndReplay(processWorkRequestName, args, effects, hintOnAndOn);
    expect(events.length).toBeGreaterThan(longHistory);
    expect(events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
    // Claiming is safe to repeat: the claim there is keeps its place in line.
    expect(told.begun).toBeGreaterThan(1);
    expect(told.works).toBe(1);
  });

  it('goes the way of a request whose history got long while one of its instances works, which it does not leave', async () => {
    const { told, effects, hintOnAndOn } = playWaiting('works');
    const args = [{ requestId: 4, runKey: 'key' }];
    const events = await runAndReplay(processWorkRequestName, args, effects, hintOnAndOn);
    expect(events.length).toBeGreaterThan(longHistory);
    expect(events.at(-1)?.workflowExecutionCompletedEventAttributes).toBeTruthy();
    expect(told).toMatchObject({ begun: 1, works: 1 });
  });

  it('goes the way of an instance that was given a hint in the middle of one', async () => {
    let looks = 0;
    const effects: Partial<RunModelInstanceEffects> = {
      createInstance: async () => undefined,
      async readInstance() {
        looks += 1;
        if (looks === 1) await sleep(slowMs);
        return { state: looks === 1 ? 'INITIALIZING' : 'SHOULD_TERMINATE', readySecondsLeft: 100 };
      },
      keepEvidence: async () => undefined,
      deleteInstance: async () => undefined,
      finishInstance: async () => undefined,
    };
    await runAndReplay(runModelInstanceName, [{ instanceId: 'i' }], effects, (handle) =>
      handle.signal(instanceChangedSignal),
    );
    expect(looks).toBe(2);
  });

  it('goes the way of an instance that begins anew when its history got long, and lives on', async () => {
    const looksInAll = 25;
    let looks = 0;
    let creations = 0;
    const effects: Partial<RunModelInstanceEffects> = {
      createInstance: async () => void (creations += 1),
      readInstance: async () => ({ state: 'ACTIVE', readySecondsLeft: 100 }),
      retireIdle: async () =>
        ++looks < looksInAll ? { type: 'look again', inSeconds: 600 } : { type: 'retired' },
      keepEvidence: async () => undefined,
      deleteInstance: async () => undefined,
      finishInstance: async () => undefined,
    };
    const hintOnAndOn = async (handle: WorkflowHandle) => {
      while (looks < looksInAll) {
        await handle.signal(instanceChangedSignal);
        await sleep(20);
      }
    };
    const args = [{ instanceId: 'i' }];
    const events = await runAndReplay(runModelInstanceName, args, effects, hintOnAndOn);
    expect(events.length).toBeGreaterThan(longHistory);
    expect(events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
    // Creating is safe to repeat: the host knows the instance.
    expect(creations).toBeGreaterThan(1);
  });
});
