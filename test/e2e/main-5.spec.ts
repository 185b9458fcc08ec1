import { it } from '@jest/globals';
import { inputFormsProof } from '../../prove/main-5-input-forms.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('postgres', 'temporal')('a hub that is sent files as people have them', () => {
  it(
    'loses no row, whichever way they are sent',
    async () => {
      await expectSmallProof(inputFormsProof);
    },
    smallProofMs,
  );
});
