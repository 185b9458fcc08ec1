import { it } from '@jest/globals';
import { largeRequests } from '../../prove/main-2-large-requests.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('postgres', 'temporal')('a hub with large requests', () => {
  it(
    'gives every row back in order, with api and worker in little memory',
    async () => {
      await expectSmallProof(largeRequests);
    },
    smallProofMs,
  );
});
