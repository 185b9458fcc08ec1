import { it } from '@jest/globals';
import { freshClone } from '../../prove/main-1-fresh-clone.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

it(
  'the demo prints one row per input row, with the known values',
  async () => {
    await expectSmallProof(freshClone);
  },
  smallProofMs,
);
