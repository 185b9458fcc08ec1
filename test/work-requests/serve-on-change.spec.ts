import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { takePartInLeading, type Lead } from '../../activities/leader/lead.js';
import { lockClaims } from '../../db/queries/claims.js';
import { insertClaim } from '../../db/queries/leases.js';
import { MODEL_CHANNEL, updateModel, type StatedModel } from '../../db/queries/models.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { makeRequest } from '../factories/make-request.js';
import { openPlayedWorker, type PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

const retention = { GUEST_RETENTION_DAYS: 7, REGISTERED_RETENTION_DAYS: 90, INSTANCE_RETENTION_DAYS: 7 };
/** Far less than the time between two passes of the reconciler. */
const AT_ONCE_MS = 3_000;

describeWith('postgres')('a request that waits for its model', () => {
  let worker: PlayedWorker;
  let lead: Lead;
  beforeAll(async () => {
    worker = await openPlayedWorker();
    // Who begins to lead begins to listen, and is told of no change that comes before Postgres has heard of that.
    let hears = false;
    worker.deps.notifications.on(MODEL_CHANNEL, () => (hears = true));
    for (; !hears; await sleep(20)) await worker.database.rows(`select pg_notify($1, '')`, [MODEL_CHANNEL]);
  });
  afterAll(() => worker.close());
  afterEach(() => lead.close());

  const until = async (condition: () => boolean | Promise<boolean>, what: string, ms = AT_ONCE_MS) => {
    const latest = performance.now() + ms;
    while (!(await condition())) {
      if (performance.now() > latest) throw new Error(`not within ${ms} ms: ${what}`);
      await sleep(20);
    }
  };
  const change = (model: MadeModel, over: { enabled?: boolean; maxInstances?: number }) => {
    const { enabled = model.enabled, maxInstances = model.maxInstances } = over;
    const stated: StatedModel = {
      id: model.id,
      enabled,
      details: {
        template_version: '0.0.0',
        description: 'Said anew.',
        disable_memory_limit: false,
        max_instances: maxInstances,
        execution_mode: 'SYNC',
        k8s_resources: { cpu_request: 100, cpu_limit: 1000, memory_request: 512, memory_limit: 512 },
        image_tag: 'latest',
        cache_enabled: false,
        identification_details: null,
      },
    };
    return worker.database.transaction(async (sql) => {
      await lockClaims(sql);
      return updateModel(sql, stated, null);
    });
  };

  it.each([
    ['switched off', { enabled: false }, { enabled: true }],
    ['allowed no instance', { maxInstances: 0 }, { maxInstances: 1 }],
  ])('that was %s is served the moment that ends', async (_, before, after) => {
    const model = await makeModel(worker.database, before);
    const request = await makeRequest(worker.database, { modelId: model.id, state: 'SCHEDULING' });
    const leaseToken = await worker.database.transaction((sql) => insertClaim(sql, request, 0));
    const stateOf = async () =>
      (
        await worker.database.rows<{ state: string }>(
          `select state from instance_lease where lease_token = $1`,
          [leaseToken],
        )
      )[0]!.state;
    const passes = worker.workflows.observersStarted;
    lead = takePartInLeading({ ...worker.deps, retention });
    await until(() => worker.workflows.observersStarted > passes, 'the first pass of the reconciler', 10_000);
    expect(await stateOf()).toBe('WAITING');

    expect(await change(model, after)).toBe(true);
    await until(async () => (await stateOf()) === 'GRANTED', 'the claim is granted');
    await until(
      () => worker.workflows.words.includes(`signal request ${request.requestId}`),
      'the request is told',
    );
  });
});
