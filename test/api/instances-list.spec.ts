import { it } from '@jest/globals';
import { lists } from '../../bench/lists.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof } from '../support/small-proof.js';

describeWith('postgres')('the list of instances', () => {
  it('reads little more than it shows, whatever is asked for and however long the history is', async () => {
    await expectSmallProof(lists);
  });
});
