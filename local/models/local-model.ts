import type { ReadMolecule } from '../../chemistry/rdkit.js';

/** One molecule's result: the model's columns, always all of them and in their order. */
export type ModelRecord = Readonly<Record<string, number | boolean | string | null>>;

/** A model of this repository. `compute` sees a molecule that was read from its canonical form. */
export interface LocalModel {
  readonly id: string;
  /** Version of the computation; RDKit's own is added to it, for results depend on both. */
  readonly version: string;
  readonly compute: (molecule: ReadMolecule) => ModelRecord;
}

const keptDecimals = 1e6;

/** Six decimals: the order of atoms moves descriptors by up to 4e-12. */
export function round6(value: number): number {
  return Math.round(value * keptDecimals) / keptDecimals;
}
