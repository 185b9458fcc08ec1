import { it } from '@jest/globals';
import { main6Memory } from '../../prove/main-6-memory.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('postgres', 'temporal')('a model that eats memory', () => {
  it(
    'is healed without computing anything twice, and given up beyond the cap',
    async () => {
      await expectSmallProof(main6Memory);
    },
    smallProofMs,
  );
});
