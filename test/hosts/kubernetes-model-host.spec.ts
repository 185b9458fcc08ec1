import { describeWith } from '../support/require-part.js';
import { makeKubernetesHarness } from './kubernetes-harness.js';
import { describeModelHost } from './model-host-contract.js';

describeModelHost('Kubernetes', makeKubernetesHarness, (title, tests) => {
  describeWith('kubernetes')(title, tests);
});
