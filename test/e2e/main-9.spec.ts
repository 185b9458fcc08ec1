import { it } from '@jest/globals';
import { speed } from '../../prove/main-9-speed.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('postgres', 'temporal')('a warm hub', () => {
  it(
    'answers one request within its floors, and many rightly',
    async () => {
      await expectSmallProof(speed);
    },
    smallProofMs,
  );
});
