import { twoOfEach } from './kubernetes-8-two-of-each.js';
import { workerKills } from './kubernetes-6-worker-kills.js';
import { clusterMainJob } from './kubernetes-1-main-job.js';
import { kubernetes2HostContract } from './kubernetes-2-host-contract.js';
import { kubernetes3WatchFaults } from './kubernetes-3-watch-faults.js';
import { kubernetes4IdleInstances } from './kubernetes-4-idle-instances.js';
import { readyToCalled } from './kubernetes-5-ready-to-called.js';
import { oomAndFreeze } from './kubernetes-7-oom-and-freeze.js';
import { freshClone } from './main-1-fresh-clone.js';
import { foreignPage } from './main-10-foreign-page.js';
import { temporalUiProof } from './main-11-temporal-ui.js';
import { workerAway } from './main-13-worker-away.js';
import { documentation } from './main-12-documentation.js';
import { largeRequests } from './main-2-large-requests.js';
import { main3Kills } from './main-3-kills.js';
import { main4TemporalAway } from './main-4-temporal-away.js';
import { inputFormsProof } from './main-5-input-forms.js';
import { main6Memory } from './main-6-memory.js';
import { main7BadModels } from './main-7-bad-models.js';
import { crowd } from './main-8-crowd.js';
import { speed } from './main-9-speed.js';
import type { Proof } from './proof.js';

/** Every proof, in the order of the issues that ask for them. */
export const proofs: readonly Proof[] = [
  freshClone,
  largeRequests,
  main3Kills,
  main4TemporalAway,
  inputFormsProof,
  main6Memory,
  main7BadModels,
  crowd,
  speed,
  foreignPage,
  temporalUiProof,
  documentation,
  workerAway,
  kubernetes2HostContract,
  clusterMainJob,
  kubernetes3WatchFaults,
  kubernetes4IdleInstances,
  readyToCalled,
  workerKills,
  oomAndFreeze,
  twoOfEach,
];
