import { defineQuery, defineSignal } from '@temporalio/workflow';

/** What `runModelInstance` is started with. */
export interface RunModelInstanceInput {
  readonly instanceId: string;
}

export const runModelInstanceName = 'runModelInstance';
export const modelInstanceWorkflowId = (instanceId: string) => `model-instance-${instanceId}`;

/** A hint that the instance's row changed (ready, ended, asked to end); the row says what is true. */
export const instanceChangedSignal = defineSignal('instanceChanged');
export const instanceStoryQuery = defineQuery<string>('instanceStory');
