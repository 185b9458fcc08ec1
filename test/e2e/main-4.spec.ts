import { it } from '@jest/globals';
import { main4TemporalAway } from '../../prove/main-4-temporal-away.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('postgres', 'temporal')('a hub whose Temporal is away, forgets and is told to stop', () => {
  it(
    'accepts every request and finishes it',
    async () => {
      await expectSmallProof(main4TemporalAway);
    },
    smallProofMs,
  );
});
