import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { startTimeSkipping } from '../support/temporal.js';
import { withWorker } from '../support/workflow-run.js';
import { OBSERVE_USAGE_WORKFLOW_ID, observeUsageName } from '../../workflows/observe-usage.messages.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await startTimeSkipping();
});
afterAll(async () => {
  await environment.teardown();
});

describe('the observer of usage', () => {
  it('goes on for ever, in turns of their own history, also after a turn failed', async () => {
    const turns: string[] = [];
    const enough = Promise.withResolvers<void>();
    const observeUsage = async () => {
      turns.push(turns.length === 1 ? 'failed' : 'done');
      if (turns.at(-1) === 'failed') throw new Error('the worker was stopped');
      if (turns.length < 4) return;
      enough.resolve();
      await Context.current().cancelled;
    };
    const runs = await withWorker(environment, { observeUsage }, async (taskQueue) => {
      const handle = await environment.client.workflow.start(observeUsageName, {
        taskQueue,
        workflowId: OBSERVE_USAGE_WORKFLOW_ID,
      });
      await enough.promise;
      const current = await environment.client.workflow.getHandle(OBSERVE_USAGE_WORKFLOW_ID).describe();
      const first = await environment.client.workflow
        .getHandle(OBSERVE_USAGE_WORKFLOW_ID, handle.firstExecutionRunId)
        .describe();
      await environment.client.workflow.getHandle(OBSERVE_USAGE_WORKFLOW_ID).terminate();
      return { current, first, firstRunId: handle.firstExecutionRunId };
    });
    expect(turns).toEqual(['done', 'failed', 'done', 'done']);
    expect(runs.first.status.name).toBe('CONTINUED_AS_NEW');
    expect(runs.current.runId).not.toBe(runs.firstRunId);
    expect(runs.current.historyLength).toBeLessThan(15);
  });
});
