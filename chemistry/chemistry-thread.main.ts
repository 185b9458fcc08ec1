import { workerData } from 'piscina';
import { Rdkit, type ReadMolecule } from './rdkit.js';
import type { MoleculeLimits } from './molecule-text.js';
import { answerRows, type ThreadTask } from './thread-task.js';

/** What a thread says of a text; null when it is not a molecule. */
export interface ThreadIdentity {
  readonly canonicalSmiles: string;
  readonly inchiKey: string;
}

export interface DrawTask extends ThreadTask {
  readonly width: number;
  readonly height: number;
}

const rdkit = await Rdkit.load((workerData as { limits: MoleculeLimits }).limits);

async function readOrNull<Value>(
  text: string,
  use: (molecule: ReadMolecule) => Value,
): Promise<Value | null> {
  const reading = await rdkit.read(text, use);
  return reading.valid ? reading.value : null;
}

export const identify = (task: ThreadTask): Promise<(ThreadIdentity | null)[]> =>
  answerRows(task, (text) =>
    readOrNull(text, ({ mol, rdkit: module, canonicalSmiles }) => ({
      canonicalSmiles,
      inchiKey: module.get_inchikey_for_inchi(mol.get_inchi()),
    })),
  );

/** Canonical form alone: three times as fast, and still there for the few molecules InChI can't do. */
export const canonicalise = (task: ThreadTask): Promise<(ThreadIdentity | null)[]> =>
  answerRows(task, (text) => readOrNull(text, ({ canonicalSmiles }) => ({ canonicalSmiles, inchiKey: '' })));

export const draw = (task: DrawTask): Promise<(string | null)[]> =>
  answerRows(task, (text) =>
    readOrNull(text, ({ mol }) => {
      const svg = mol.get_svg(task.width, task.height);
      return svg.slice(Math.max(0, svg.indexOf('<svg')));
    }),
  );
