import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { TestWorkflowEnvironment } from '@temporalio/testing';

/** The bundle that workers run, as the build made it. */
export const builtWorkflowBundle = { codePath: join(process.cwd(), 'dist', 'workflow-bundle.js') };

// Specs make effects fail on purpose; only what the SDK calls an error is worth reading.
Runtime.install({ logger: new DefaultLogger('ERROR') });

/** Runs a worker with these activities on a queue of its own for as long as `story` takes. */
export async function withWorker<Result>(
  environment: TestWorkflowEnvironment,
  activities: object,
  story: (taskQueue: string) => Promise<Result>,
): Promise<Result> {
  const taskQueue = `test-${Math.random().toString(36).slice(2)}`;
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowBundle: builtWorkflowBundle,
    activities,
  });
  return worker.runUntil(() => story(taskQueue));
}
