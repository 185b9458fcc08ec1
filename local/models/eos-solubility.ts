import { Molecule, MoleculeProperties } from 'openchemlib';
import type { ReadMolecule } from '../../chemistry/rdkit.js';
import { round6, type LocalModel } from './local-model.js';
import { rdkitDescriptors } from './rdkit-descriptors.js';

/** Aromatic atoms: every match of the one-atom pattern `a`. */
function countAromaticAtoms({ mol, rdkit }: ReadMolecule): number {
  const aromaticAtom = rdkit.get_qmol('a');
  if (!aromaticAtom) throw new Error('RDKit could not read the pattern of an aromatic atom');
  try {
    const matches: unknown = JSON.parse(mol.get_substruct_matches(aromaticAtom));
    return Array.isArray(matches) ? matches.length : 0;
  } finally {
    aromaticAtom.delete();
  }
}

/** ESOL (Delaney 2004), log10 of mol/l; RDKit's descriptors in the place of the original's. */
function esolLogS(molecule: ReadMolecule): number {
  const { CrippenClogP, amw, NumRotatableBonds, NumHeavyAtoms } = rdkitDescriptors(molecule);
  const aromaticShare = NumHeavyAtoms === 0 ? 0 : countAromaticAtoms(molecule) / NumHeavyAtoms;
  return 0.16 - 0.63 * CrippenClogP - 0.0062 * amw + 0.066 * NumRotatableBonds - 0.74 * aromaticShare;
}

/** OpenChemLib's estimates; null for what RDKit can read and OpenChemLib can't. */
function openChemLibEstimates(canonicalSmiles: string): { logS: number | null; logP: number | null } {
  const [smiles = ''] = canonicalSmiles.split(' ');
  let molecule: Molecule;
  try {
    molecule = Molecule.fromSmiles(smiles, { noCoordinates: true });
  } catch (error) {
    console.log(`no OpenChemLib estimate: ${error instanceof Error ? error.message : String(error)}`);
    return { logS: null, logP: null };
  }
  const { logS, logP } = new MoleculeProperties(molecule);
  return { logS: round6(logS), logP: round6(logP) };
}

/** Solubility in water, estimated twice, and lipophilicity. */
export const eosSolubility: LocalModel = {
  id: 'eos-solubility',
  version: 'v1.0.0',
  compute(molecule) {
    const { logS, logP } = openChemLibEstimates(molecule.canonicalSmiles);
    return { esol_logs: round6(esolLogS(molecule)), ocl_logs: logS, ocl_logp: logP };
  },
};
