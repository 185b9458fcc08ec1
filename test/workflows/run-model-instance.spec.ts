/** The order of effects of an instance's life; the effects themselves are shown in test/work-requests/ and test/hosts/. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { InstanceFacts, RunModelInstanceEffects } from '../../activities/run-model-instance.effects.js';
import { instanceChangedSignal, instanceStoryQuery } from '../../workflows/run-model-instance.messages.js';
import { startTimeSkipping } from '../support/temporal.js';
import { withWorker } from '../support/workflow-run.js';

const ending = ['keepEvidence', 'deleteInstance', 'finishInstance'];

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(async () => {
  await environment.teardown();
});

async function live(
  parts: Partial<RunModelInstanceEffects>,
  meanwhile: (handle: WorkflowHandle) => Promise<void> = async () => undefined,
): Promise<string[]> {
  const calls: string[] = [];
  const done = async () => undefined;
  const effects: Partial<RunModelInstanceEffects> = {
    createInstance: done,
    keepEvidence: done,
    deleteInstance: done,
    finishInstance: done,
    ...parts,
  };
  const activities = Object.fromEntries(
    Object.entries(effects).map(([name, effect]) => [
      name,
      async (instanceId: string) => {
        calls.push(name);
        return effect(instanceId);
      },
    ]),
  );
  await withWorker(environment, activities, async (taskQueue) => {
    const handle = await environment.client.workflow.start('runModelInstance', {
      taskQueue,
      workflowId: `model-instance-${Math.random()}`,
      args: [{ instanceId: 'instance' }],
    });
    await meanwhile(handle);
    await handle.result();
  });
  return calls;
}

const facts = (state: InstanceFacts['state'], readySecondsLeft = 600): InstanceFacts => ({
  state,
  readySecondsLeft,
});

describe('an instance', () => {
  it('that nobody needs any more ends: evidence kept, deleted, its place freed', async () => {
    const calls = await live({
      readInstance: async () => facts('ACTIVE'),
      retireIdle: async () => ({ type: 'retired' }),
    });
    expect(calls).toEqual(['createInstance', 'readInstance', 'retireIdle', ...ending]);
  });

  it('that was used meanwhile is looked at again when its idle time may be over', async () => {
    let looks = 0;
    const calls = await live({
      readInstance: async () => facts('ACTIVE'),
      retireIdle: async () => (++looks < 4 ? { type: 'look again', inSeconds: 45 } : { type: 'retired' }),
    });
    expect(calls.filter((call) => call === 'retireIdle')).toHaveLength(4);
  });

  it('that was refused by its host goes straight to its end', async () => {
    const calls = await live({ readInstance: async () => facts('SHOULD_TERMINATE') });
    expect(calls).toEqual(['createInstance', 'readInstance', ...ending]);
  });

  it('that never gets ready is given up after its time, without a hint', async () => {
    let left = 65;
    let givenUp = false;
    const calls = await live({
      readInstance: async () => {
        if (givenUp) return facts('SHOULD_TERMINATE');
        const now = facts('WAITING_FOR_READINESS', left);
        left -= 30;
        return now;
      },
      giveUpStarting: async () => void (givenUp = true),
    });
    expect(calls.filter((call) => call === 'giveUpStarting')).toHaveLength(1);
    expect(calls.slice(-3)).toEqual(ending);
  });

  it('that died is ended at the first hint, long before its idle time', async () => {
    let dead = false;
    const calls = await live(
      {
        readInstance: async () => facts(dead ? 'SHOULD_TERMINATE' : 'ACTIVE'),
        retireIdle: async () => ({ type: 'look again', inSeconds: 86_400 }),
      },
      async (handle) => {
        while ((await handle.query(instanceStoryQuery)) !== 'Ready');
        dead = true;
        await handle.signal(instanceChangedSignal);
      },
    );
    expect(calls.slice(-3)).toEqual(ending);
  });

  it('whose evidence can not be read at first is kept until it can', async () => {
    let away = 2;
    const calls = await live({
      readInstance: async () => facts('SHOULD_TERMINATE'),
      keepEvidence: async () => {
        if (away-- > 0) throw new Error('the host is away');
      },
    });
    expect(calls.slice(-5)).toEqual(['keepEvidence', 'keepEvidence', ...ending]);
  });
});
