import type { ReadMolecule } from '../../chemistry/rdkit.js';

/** The descriptors our models use, of the 43 that RDKit gives, under RDKit's names. */
export const usedDescriptors = [
  'amw',
  'CrippenClogP',
  'tpsa',
  'lipinskiHBA',
  'lipinskiHBD',
  'NumRotatableBonds',
  'NumAromaticRings',
  'FractionCSP3',
  'CrippenMR',
  'NumHeavyAtoms',
] as const;
export type UsedDescriptors = Readonly<Record<(typeof usedDescriptors)[number], number>>;

/**
 * Descriptors of a molecule, unrounded.
 * @throws Error when RDKit leaves one out.
 */
export function rdkitDescriptors({ mol }: ReadMolecule): UsedDescriptors {
  const all = JSON.parse(mol.get_descriptors()) as Readonly<Record<string, unknown>>;
  const used = usedDescriptors.map((name) => {
    const value = all[name];
    if (typeof value !== 'number') throw new Error(`RDKit gave ${String(value)} as ${name}`);
    return [name, value] as const;
  });
  return Object.fromEntries(used) as unknown as UsedDescriptors;
}
