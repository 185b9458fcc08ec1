import type { ActivityDependencies } from './dependencies.js';
import { createRunModelInstance } from './instances/run-model-instance.activities.js';
import type { ObserveUsageEffects } from './observe-usage.effects.js';
import type { ProcessWorkRequestEffects } from './process-work-request.effects.js';
import type { RunModelInstanceEffects } from './run-model-instance.effects.js';
import { createObserveUsage } from './usage/observe-usage.activities.js';
import { createBeginWorkRequest } from './work-requests/begin-work-request.activities.js';
import { createEndWorkRequest } from './work-requests/end-work-request.activities.js';
import { createRunLease } from './work-requests/run-lease.activities.js';
import { createRunSmall } from './work-requests/run-small.activities.js';
import { createSettleLease } from './work-requests/settle-lease.activities.js';

/** Every effect a workflow can ask for, over one set of connections. */
export function createActivities(
  deps: ActivityDependencies,
): ProcessWorkRequestEffects & RunModelInstanceEffects & ObserveUsageEffects {
  return {
    ...createBeginWorkRequest(deps),
    ...createRunSmall(deps),
    ...createRunLease(deps),
    ...createSettleLease(deps),
    ...createEndWorkRequest(deps),
    ...createRunModelInstance(deps),
    ...createObserveUsage(deps),
  };
}
