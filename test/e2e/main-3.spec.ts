import { it } from '@jest/globals';
import { main3Kills } from '../../prove/main-3-kills.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('postgres', 'temporal')('a hub whose processes are killed under load', () => {
  it(
    'loses, doubles and leaves over nothing',
    async () => {
      await expectSmallProof(main3Kills);
    },
    smallProofMs,
  );
});
