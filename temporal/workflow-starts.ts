import { createHash } from 'node:crypto';
import { type Client, type WorkflowStartOptions } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { OBSERVE_USAGE_WORKFLOW_ID, observeUsageName } from '../workflows/observe-usage.messages.js';
import {
  processWorkRequestName,
  workRequestWorkflowId,
  type ProcessWorkRequestInput,
} from '../workflows/process-work-request.messages.js';
import {
  modelInstanceWorkflowId,
  runModelInstanceName,
  type RunModelInstanceInput,
} from '../workflows/run-model-instance.messages.js';
import { instanceIdAttribute, modelIdAttribute, userHashAttribute } from './search-attributes.js';
import { HUB_TASK_QUEUE } from './task-queue.js';

/** Users are searchable without being named: the first 16 hex digits of the SHA-256 of their id. */
export function userHash(userId: string): string {
  return createHash('sha256').update(userId).digest('hex').slice(0, 16);
}

const oneRun = {
  taskQueue: HUB_TASK_QUEUE,
  workflowTaskTimeout: '5s',
  // Starting what runs already is no error: the running one is the one we want.
  workflowIdConflictPolicy: 'USE_EXISTING',
  workflowIdReusePolicy: 'ALLOW_DUPLICATE',
} as const;

/** Starts the workflow of a request, or finds it running. */
export async function startWorkRequest(
  client: Client,
  request: ProcessWorkRequestInput & {
    readonly modelId: string;
    readonly userId: string;
    readonly rowCount: number;
  },
): Promise<void> {
  const { requestId, runKey, modelId, userId, rowCount } = request;
  await client.workflow.start(processWorkRequestName, {
    ...oneRun,
    workflowId: workRequestWorkflowId(requestId, runKey),
    args: [{ requestId, runKey }],
    typedSearchAttributes: new TypedSearchAttributes([
      { key: modelIdAttribute, value: modelId },
      { key: userHashAttribute, value: userHash(userId) },
    ]),
    staticSummary: `Request ${requestId}: ${rowCount} rows for ${modelId}`,
  } satisfies WorkflowStartOptions);
}

/** Starts the workflow of an instance, or finds it running. */
export async function startModelInstance(
  client: Client,
  instance: RunModelInstanceInput & { readonly modelId: string },
): Promise<void> {
  const { instanceId, modelId } = instance;
  await client.workflow.start(runModelInstanceName, {
    ...oneRun,
    workflowId: modelInstanceWorkflowId(instanceId),
    args: [{ instanceId }],
    typedSearchAttributes: new TypedSearchAttributes([
      { key: modelIdAttribute, value: modelId },
      { key: instanceIdAttribute, value: instanceId },
    ]),
    staticSummary: `Instance of ${modelId}`,
  } satisfies WorkflowStartOptions);
}

/** Starts the one workflow that samples usage, or finds it running. */
export async function startUsageObserver(client: Client): Promise<void> {
  await client.workflow.start(observeUsageName, {
    ...oneRun,
    workflowId: OBSERVE_USAGE_WORKFLOW_ID,
    args: [],
    staticSummary: 'Samples usage of instances and nodes',
  } satisfies WorkflowStartOptions);
}
