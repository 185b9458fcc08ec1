import { z } from 'zod';
import type { ClaimLimits } from '../domain/claim/claim-facts.js';
import { integerSetting } from '../domain/settings.js';

/** How places are given out: the same for workers, who give them, and the api, which tells those who wait. */
export const claimLimitSettings = z.object({
  MAX_CONCURRENT_MODEL_INSTANCES: integerSetting(1, 100_000)
    .default(25)
    .describe('instances that may exist at once, over all models'),
  CLAIM_PATIENCE_SECONDS: integerSetting(0, 86_400)
    .default(10)
    .describe(
      'seconds a request waits before an instance of a model with more than its part makes room for it',
    ),
});

/** The limits as the rules of claims take them. */
export function toClaimLimits(settings: z.infer<typeof claimLimitSettings>): ClaimLimits {
  return {
    maxInstances: settings.MAX_CONCURRENT_MODEL_INSTANCES,
    patienceSeconds: settings.CLAIM_PATIENCE_SECONDS,
  };
}
