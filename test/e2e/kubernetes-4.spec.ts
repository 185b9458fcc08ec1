import { it } from '@jest/globals';
import { kubernetes4IdleInstances } from '../../prove/kubernetes-4-idle-instances.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith(
  'postgres',
  'temporal',
  'kubernetes',
)('instances on a cluster that nobody uses', () => {
  it(
    'X-P1, X-P3: stay without a thread or a write of their own, and cost the API server next to nothing',
    async () => {
      await expectSmallProof(kubernetes4IdleInstances);
    },
    smallProofMs,
  );
});
