import { afterAll, beforeAll, it } from '@jest/globals';
import { askAnyProcess } from '../../prove/ask-any-process.js';
import { checkOwners } from '../../prove/check-owners.js';
import { checkQuietAndStop } from '../../prove/check-quiet.js';
import { type ClusterHub, startClusterHub } from '../../prove/cluster-hub.js';
import { clusterModels, clusterWarmSeconds } from '../../prove/cluster-load.js';
import { clusterMainJob, doMainJob } from '../../prove/kubernetes-1-main-job.js';
import { killWorkers, workerKills } from '../../prove/kubernetes-6-worker-kills.js';
import {
  type SecondPair,
  startSecondPair,
  stopSecondPair,
  twoOfEach,
  workAsTwo,
} from '../../prove/kubernetes-8-two-of-each.js';
import type { ProofContext } from '../../prove/proof.js';
import { HubClient } from '../support/hub-client.js';
import { describeWith } from '../support/require-part.js';
import { expectSmallProof, smallProofMs } from '../support/small-proof.js';

/** The small versions of three proofs on one hub, one after the other: each start of one takes ten seconds. */
describeWith(
  'postgres',
  'temporal',
  'kubernetes',
)('a hub whose instances are pods', () => {
  let hub: ClusterHub;
  let pair: SecondPair;
  beforeAll(async () => {
    hub = await startClusterHub({ models: clusterModels, warmSeconds: clusterWarmSeconds });
    pair = await startSecondPair(hub);
  }, smallProofMs);
  afterAll(async () => {
    if (pair) await stopSecondPair(pair);
    await hub?.stop();
  }, smallProofMs);

  const expectOnHub = (
    proof: { name: string; title: string },
    run: (context: ProofContext) => Promise<void>,
  ) => expectSmallProof({ ...proof, run });

  it(
    'does the main job, sent to one api process and read at another',
    async () => {
      await expectOnHub(clusterMainJob, async (context) => {
        const client = await HubClient.asGuest(hub.stack.url);
        await doMainJob(hub, context, client, client.at(pair.url));
        await checkOwners(hub, context);
      });
    },
    smallProofMs,
  );

  it(
    'X-P9: shows and stops an instance at whichever api process is asked',
    async () => {
      await expectOnHub(twoOfEach, (context) => askAnyProcess(hub, context, pair.url));
    },
    smallProofMs,
  );

  it(
    'loses, doubles and leaves over nothing when all its workers are killed',
    async () => {
      await expectOnHub(workerKills, (context) => killWorkers(hub, context, [pair.worker]));
    },
    smallProofMs,
  );

  it(
    'goes on when one of two workers or api processes is killed, and gives everything back',
    async () => {
      await expectOnHub(twoOfEach, async (context) => {
        await workAsTwo(hub, context, pair);
        await stopSecondPair(pair);
        await checkQuietAndStop(hub, context);
      });
    },
    smallProofMs,
  );
});
