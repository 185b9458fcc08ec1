import { it } from '@jest/globals';
import { documentation } from '../../prove/main-12-documentation.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith(
  'postgres',
  'temporal',
  'browser',
)('a hub and its documentation', () => {
  it(
    'needs no other host, and answers wrong input with its field',
    async () => {
      await expectSmallProof(documentation);
    },
    smallProofMs,
  );
});
