import { afterAll, beforeAll, it } from '@jest/globals';
import { checkQuietAndStop } from '../../prove/check-quiet.js';
import { type ClusterHub, startClusterHub } from '../../prove/cluster-hub.js';
import { FurtherProcess } from '../../prove/further-process.js';
import {
  measureReadyToCalled,
  readyModels,
  readyToCalled,
} from '../../prove/kubernetes-5-ready-to-called.js';
import {
  freezeLeader,
  killForMemory,
  oomAndFreeze,
  oomAndFreezeModels,
} from '../../prove/kubernetes-7-oom-and-freeze.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

/** The small versions of two proofs on one hub, one after the other: each start of one takes ten seconds. */
describeWith(
  'postgres',
  'temporal',
  'kubernetes',
)('a hub whose instances are pods', () => {
  let hub: ClusterHub;
  beforeAll(async () => {
    hub = await startClusterHub({ models: [...readyModels, ...oomAndFreezeModels], warmSeconds: 1 });
  }, smallProofMs);
  afterAll(async () => {
    await hub?.stop();
  }, smallProofMs);

  it(
    'calls the model as soon as its pod is ready',
    async () => {
      await expectSmallProof({ ...readyToCalled, run: (context) => measureReadyToCalled(hub, context) });
    },
    smallProofMs,
  );

  it(
    'heals a request whose pod was killed for its memory, and refuses a leader that wakes up too late',
    async () => {
      await expectSmallProof({
        ...oomAndFreeze,
        run: async (context) => {
          await killForMemory(hub, context);
          const second = await FurtherProcess.start('temporal/worker.main.js', hub.environment);
          try {
            await freezeLeader(hub, context);
          } finally {
            await second.stop();
          }
          await checkQuietAndStop(hub, context);
        },
      });
    },
    smallProofMs,
  );
});
