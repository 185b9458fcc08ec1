import { it } from '@jest/globals';
import { temporalUiProof } from '../../prove/main-11-temporal-ui.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('postgres', 'temporal')('the Temporal UI of a hub', () => {
  it(
    'finds workflows by model, user and instance, and shows readable words',
    async () => {
      await expectSmallProof(temporalUiProof);
    },
    smallProofMs,
  );
});
