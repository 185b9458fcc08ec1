/**
 * Which texts are handed to RDKit at all. RDKit runs on a WebAssembly stack of 64 KiB and recurses over atoms (112
 * bytes each to write a canonical form, 120 for an InChI of sugar rings). Beyond the end of that stack it writes
 * over its own constants: it crashes, loops for ever or answers wrongly. So size is judged on the text, before.
 */
export interface MoleculeLimits {
  readonly characters: number;
  readonly atoms: number;
  readonly rings: number;
}

export const moleculeLimits: MoleculeLimits = {
  /** 500 atoms written with every stereo mark, charge and hydrogen count stay below this. */
  characters: 5000,
  /** 500 atoms need at most 60,000 of the 65,536 bytes of stack; the protein insulin has 405. */
  atoms: 500,
  /** A grid of 100 rings takes 0.1 s, one of 361 never ends; C60 has 32. */
  rings: 100,
};

export const moleculeFaults = [
  'empty',
  'white space inside',
  'too long',
  'too many atoms',
  'too many rings',
  'not a SMILES',
  'no atoms',
  'RDKit failed on it',
] as const;
export type MoleculeFault = (typeof moleculeFaults)[number];

/** SMILES without white space, quotes and braces (braces start JSON, which RDKit would read too), then `|…|`. */
const smilesWithExtension = /^(?<smiles>[^\s"{}|]+)(?: +\|[^|\t\r\n]*\|)?$/;
const bracketAtom = /\[[^\]]*\]/g;
const anyAtom = /\[[^\]]*\]|Br|Cl|[BCNOPSFIbcnops*]/g;
const ringBond = /%\(\d+\)|%\d\d|\d/g;

/** The text as it is read: white space around it does not count. */
export function toMoleculeText(text: string): string {
  return text.trim();
}

/** True when the SMILES carries an extension in bars (`CCO |…|`: labels, enhanced stereo, coordinates). */
export function hasExtension(moleculeText: string): boolean {
  return moleculeText.endsWith('|');
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

function findSizeFault(smiles: string, limits: MoleculeLimits): MoleculeFault | null {
  if (count(smiles, anyAtom) > limits.atoms) return 'too many atoms';
  const ringBonds = count(smiles.replaceAll(bracketAtom, ''), ringBond);
  return ringBonds > 2 * limits.rings ? 'too many rings' : null;
}

/**
 * Why a text can't be a molecule, as far as its letters tell; null when RDKit should read it. Every atom counts
 * once, explicit hydrogens too; a ring is two ring-bond digits. Names must be split off before.
 */
export function findTextFault(text: string, limits: MoleculeLimits = moleculeLimits): MoleculeFault | null {
  const moleculeText = toMoleculeText(text);
  if (moleculeText === '') return 'empty';
  if (moleculeText.length > limits.characters) return 'too long';
  const smiles = smilesWithExtension.exec(moleculeText)?.groups?.['smiles'];
  if (smiles !== undefined) return findSizeFault(smiles, limits);
  return /\s/.test(moleculeText) ? 'white space inside' : 'not a SMILES';
}
