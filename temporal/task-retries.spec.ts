import { expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { startDevServer } from '../test/support/temporal.js';
import { describeWith } from '../test/support/require-part.js';

const deaths = 4;
const taskTimeoutMs = 1000;

describeWith('temporal')('the Temporal server of one machine', () => {
  it('gives a workflow whose workers die again and again to the next one without a growing wait', async () => {
    const server = await startDevServer();
    const connection = await Connection.connect({ address: server.address });
    const { namespace } = server;
    try {
      await new Client({ connection }).workflow.start('dying', {
        taskQueue: 'dying',
        workflowId: 'dying',
        workflowTaskTimeout: taskTimeoutMs,
      });
      const startedAt = performance.now();
      // Takes the task each time it is offered, and is never heard of again.
      const take = () => {
        const request = { namespace, taskQueue: { name: 'dying' } };
        const poll = () => connection.workflowService.pollWorkflowTaskQueue(request);
        return connection.withDeadline(Date.now() + 20_000, poll);
      };
      for (let attempt = 0; attempt <= deaths;) ({ attempt } = await take());
      expect(performance.now() - startedAt).toBeLessThan(1.5 * deaths * taskTimeoutMs);
    } finally {
      await connection.close();
      await server.stop();
    }
  });
});
