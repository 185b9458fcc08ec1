import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { WorkflowExistence, WorkflowGateway } from '../activities/workflow-gateway.js';
import { OBSERVE_USAGE_WORKFLOW_ID } from '../workflows/observe-usage.messages.js';
import { leaseChangedSignal, workRequestWorkflowId } from '../workflows/process-work-request.messages.js';
import { instanceChangedSignal, modelInstanceWorkflowId } from '../workflows/run-model-instance.messages.js';
import { startModelInstance, startUsageObserver, startWorkRequest } from './workflow-starts.js';

/** Workflows as activities reach them: through a client, by ids that follow from the rows' ids. */
export function createWorkflowGateway(client: Client): WorkflowGateway {
  const requestId = ({ requestId, runKey }: { requestId: number; runKey: string }) =>
    workRequestWorkflowId(requestId, runKey);
  return {
    startRequest: (request) => startWorkRequest(client, request),
    startInstance: (instance) => startModelInstance(client, instance),
    startUsageObserver: () => startUsageObserver(client),
    signalRequest: (request) =>
      orGone(client.workflow.getHandle(requestId(request)).signal(leaseChangedSignal)),
    signalInstance: (instanceId) =>
      orGone(client.workflow.getHandle(modelInstanceWorkflowId(instanceId)).signal(instanceChangedSignal)),
    cancelRequest: (request) => orGone(client.workflow.getHandle(requestId(request)).cancel()),
    async listRunning() {
      const running = new Set<string>();
      for await (const { workflowId } of client.workflow.list({
        query: `ExecutionStatus = 'Running'`,
        pageSize: 1000,
      })) {
        running.add(workflowId);
      }
      return running;
    },
    existenceOfRequest: (request) => existence(client, requestId(request)),
    requestWorkflowId: requestId,
    instanceWorkflowId: modelInstanceWorkflowId,
    usageObserverWorkflowId: OBSERVE_USAGE_WORKFLOW_ID,
  };
}

/** Telling a workflow that is over is no failure: it knows already. */
async function orGone(told: Promise<unknown>): Promise<void> {
  try {
    await told;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

async function existence(client: Client, workflowId: string): Promise<WorkflowExistence> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' ? 'running' : 'closed';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'absent';
    throw error;
  }
}
