import { it } from '@jest/globals';
import { kubernetes3WatchFaults } from '../../prove/kubernetes-3-watch-faults.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

describeWith('kubernetes')('a watch whose way to the cluster breaks', () => {
  it(
    'misses nothing, tells nothing untrue and is back within seconds',
    async () => {
      await expectSmallProof(kubernetes3WatchFaults);
    },
    smallProofMs,
  );
});
