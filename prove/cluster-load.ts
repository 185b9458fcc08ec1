import type { HubClient } from '../test/support/hub-client.js';
import type { TestModel } from './proof-hub.js';
import { type Expectation, expectedOfCounter, learnReference, molecules } from './reference.js';
import { chains, type Submission } from './steady-load.js';

/** Models whose instances start at once, start slowly, answer by jobs, and work long; a shipped one comes beside them. */
export const clusterModels: readonly TestModel[] = [
  { id: 'good-counter', env: { MODE: 'good', ROW_DELAY_MS: '0.3' } },
  { id: 'good-async', env: { MODE: 'good', ROW_DELAY_MS: '1' }, executionMode: 'ASYNC' },
  { id: 'slow-starter', env: { MODE: 'slow-start', START_DELAY_MS: '1200' } },
  { id: 'long-worker', env: { MODE: 'good', ROW_DELAY_MS: '20' } },
];

/** So short that instances end and begin all the time under the load. */
export const clusterWarmSeconds = 1;

/** What each model of the load must answer. */
export async function learnExpectations(client: HubClient): Promise<Readonly<Record<string, Expectation>>> {
  return {
    'eos-physchem': await learnReference(client, 'eos-physchem'),
    'good-counter': expectedOfCounter,
    'good-async': expectedOfCounter,
    'slow-starter': expectedOfCounter,
  };
}

/** Requests of one and of several shards, some rows no molecule, over all models. */
export function nextOnCluster(random: () => number): Submission {
  const kind = random();
  const upTo = (most: number) => 1 + Math.floor(random() * most);
  if (kind < 0.1) return { modelId: 'good-counter', entries: chains(1000 + upTo(1500)) };
  if (kind < 0.3) return { modelId: 'good-counter', entries: chains(upTo(50)) };
  if (kind < 0.5) return { modelId: 'good-async', entries: chains(upTo(300)) };
  if (kind < 0.7) return { modelId: 'slow-starter', entries: chains(upTo(50)) };
  const entries = Array.from({ length: upTo(20) }, () =>
    random() < 0.03 ? 'not a molecule' : molecules[Math.floor(random() * molecules.length)]!,
  );
  return { modelId: 'eos-physchem', entries };
}
