import { workerData } from 'piscina';
import { Rdkit } from '../../chemistry/rdkit.js';
import { answerRows, type ThreadTask } from '../../chemistry/thread-task.js';
import type { LocalModel } from './local-model.js';

/** Only the model that is asked for is loaded. */
const loadModel = {
  'eos-physchem': async () => (await import('./eos-physchem.js')).eosPhyschem,
  'eos-solubility': async () => (await import('./eos-solubility.js')).eosSolubility,
  'eos-morgan': async () => (await import('./eos-morgan.js')).eosMorgan,
} satisfies Record<string, () => Promise<LocalModel>>;
export type LocalModelId = keyof typeof loadModel;

const [rdkit, model] = await Promise.all([
  Rdkit.load(),
  loadModel[(workerData as { modelId: LocalModelId }).modelId](),
]);

/** One record as JSON text, `null` for what is not a molecule or breaks RDKit. */
async function recordOf(text: string): Promise<string> {
  const canonical = await rdkit.read(text, ({ canonicalSmiles }) => canonicalSmiles);
  if (!canonical.valid) return 'null';
  // A few metal complexes have a canonical form that RDKit itself can't read: they are computed as written.
  for (const writing of [canonical.value, text]) {
    const record = await rdkit.read(writing, (molecule) => JSON.stringify(model.compute(molecule)));
    if (record.valid) return record.value;
  }
  return 'null';
}

export const compute = (task: ThreadTask): Promise<string[]> => answerRows(task, recordOf);

/** The model's version with RDKit's, e.g. `v1.0.0-rdkit2026.09.1`. */
export const version = (task: ThreadTask): Promise<string[]> =>
  answerRows(task, async () => `${model.version}-rdkit${await rdkit.version()}`);
