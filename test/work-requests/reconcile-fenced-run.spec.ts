import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createReconciler } from '../../activities/leader/reconcile.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel } from '../factories/make-model.js';
import { makeRequest } from '../factories/make-request.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

describeWith('postgres')('a request whose workflow was ended under it', () => {
  let worker: PlayedWorker;
  beforeAll(async () => {
    worker = (await openPlayedWorker()).with({ maxInstances: 10 });
  });
  afterAll(async () => {
    await worker.close();
  });

  it('gives back what its old run held in the same pass that starts the new one', async () => {
    const { database, workflows } = worker;
    const { id: modelId } = await makeModel(database, { maxInstances: 1 });
    const request = await makeRequest(database, { modelId, state: 'PROCESSING', ageSeconds: 60 });
    const { leaseToken } = await makeLease(database, request, await makeInstance(database, { modelId }));
    workflows.existence.set(workflows.requestWorkflowId(request), 'closed');

    const reconcile = createReconciler(worker.deps, async () => undefined);
    expect(await reconcile()).toMatchObject({ requestsRunAnew: 1, leasesReleased: 1 });

    const [now] = await database.rows<{ run_key: string; lease_state: string }>(
      `select r.run_key, l.state as lease_state from work_request r join instance_lease l on l.lease_token = $1
        where r.id = $2`,
      [leaseToken, request.requestId],
    );
    expect(now).toEqual({ run_key: expect.any(String), lease_state: 'RELEASED' });
    expect(now!.run_key).not.toBe(request.runKey);
    expect(workflows.words).toContain(`start request ${request.requestId} ${now!.run_key}`);
  });
});
