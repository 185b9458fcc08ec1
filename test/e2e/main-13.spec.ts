import { it } from '@jest/globals';
import { workerAway } from '../../prove/main-13-worker-away.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('postgres', 'temporal')('a hub whose workers are away, or told to stop', () => {
  it(
    'goes on accepting, and finishes everything',
    async () => {
      await expectSmallProof(workerAway);
    },
    smallProofMs,
  );
});
