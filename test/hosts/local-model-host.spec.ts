import { describeModelHost } from './model-host-contract.js';
import { makeLocalHarness } from './local-test-host.js';

describeModelHost('local', makeLocalHarness);
