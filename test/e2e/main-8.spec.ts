import { it } from '@jest/globals';
import { crowd } from '../../prove/main-8-crowd.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('postgres', 'temporal')('a hub with more requests than places', () => {
  it(
    'never starts more instances than allowed, and serves everybody',
    async () => {
      await expectSmallProof(crowd);
    },
    smallProofMs,
  );
});
