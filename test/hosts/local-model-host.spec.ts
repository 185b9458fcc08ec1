import { describeModelHost } from './model-host-contract.js';
import { makeLocalHarness } from './local-harness.js';

describeModelHost('local', makeLocalHarness);
