import { it } from '@jest/globals';
import { foreignPage } from '../../prove/main-10-foreign-page.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith(
  'postgres',
  'temporal',
  'browser',
)('a page of another origin', () => {
  it(
    'submits and follows with nothing but a base URL and a token',
    async () => {
      await expectSmallProof(foreignPage);
    },
    smallProofMs,
  );
});
