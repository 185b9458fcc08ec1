import { it } from '@jest/globals';
import { main7BadModels } from '../../prove/main-7-bad-models.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('postgres', 'temporal')('models that misbehave', () => {
  it(
    'fail their own request, in bounded time and memory, and no other',
    async () => {
      await expectSmallProof(main7BadModels);
    },
    smallProofMs,
  );
});
