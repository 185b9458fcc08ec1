import { seededRandom } from './proof.js';

/** `@` stands for a substituent, `~` for the end of the chain. */
const scaffolds = [
  ['c1cc(@)ncc1~', 'c1nc(@)ccc1~', 'c1cc(@)sc1~', 'c1cc(@)oc1~', 'c1cc(@)ccc1~', 'c1c(@)cccc1~'],
  ['c1nc(@)sc1~', 'c1nc(@)oc1~', 'C1CC(@)NCC1~', 'C1CC(@)OCC1~', 'C1CC(@)CC1~', 'C1CC(@)SCC1~'],
  ['c1ccc2nc(@)ccc2c1~', 'c1ccc2cc(@)ccc2c1~', 'c1cc(@)c2ccoc2c1~', 'c1cc(@)c2ccsc2c1~', 'c1nc(@)ncc1~'],
  ['C1CN(C)CC(@)C1~', 'O=C1CC(@)CCC1~', 'c1nn(C)c(@)c1~'],
].flat();
const substituents = [
  ['F', 'Cl', 'Br', 'C', 'CC', 'CCC', 'CCCC', 'C(C)C', 'CC(C)C', 'C(C)(C)C', 'C1CC1', 'C1CCC1'],
  ['O', 'OC', 'OCC', 'OCCC', 'OC(C)C', 'SC', 'SCC', 'N', 'NC', 'NCC', 'N(C)C', 'N(CC)CC', 'C#N'],
  ['C(F)(F)F', 'OC(F)(F)F', 'C(=O)O', 'C(=O)N', 'C(=O)NC', 'C(=O)OC', 'C(=O)OCC', 'C(=O)C', 'NC(=O)C'],
  ['S(=O)(=O)C', 'S(=O)(=O)N', 'CO', 'CN', 'CCO', 'CCN', 'C=C', 'C#C', 'C1CCOC1', 'N1CCOCC1', 'N1CCCC1'],
].flat();
const linkers = ['', 'C', 'CC', 'CCC', 'O', 'OC', 'OCC', 'N', 'NC', 'C(=O)N', 'C(=O)O', 'S', 'CN(C)'];
const tails = [
  ['c1ccccc1', 'c1ccncc1', 'c1ccc(F)cc1', 'c1ccc(Cl)cc1', 'c1ccc(OC)cc1', 'c1ccsc1', 'c1ccoc1', 'C1CCCCC1'],
  ['C1CCNCC1', 'C1CCOCC1', 'c1cnccn1', 'c1ccc(C#N)cc1', 'CC', 'CC(C)O', 'c1ccc2[nH]ccc2c1'],
].flat();
const parts = [scaffolds, substituents, linkers, tails] as const;
/** How many distinct molecules there are to draw from: 175,500. */
const variety = parts.reduce((product, { length }) => product * length, 1);
/** A prime that divides none of the lists' lengths: steps of it visit every combination once. */
const stride = 104_729;

/** The first `count` of a seed's sequence of valid, different SMILES. */
export function differentMolecules(count: number, seed: number): string[] {
  if (count > variety) throw new Error(`there are only ${variety} different molecules, not ${count}`);
  const start = Math.floor(seededRandom(seed)() * variety);
  return Array.from({ length: count }, (_, index) => moleculeOf((start + index * stride) % variety));
}

function moleculeOf(number: number): string {
  let rest = number;
  const [scaffold, substituent, linker, tail] = parts.map((list) => {
    const chosen = list[rest % list.length]!;
    rest = Math.floor(rest / list.length);
    return chosen;
  });
  // Ring 1 of the scaffold is closed where a substituent stands, so its rings get numbers of their own.
  const renumbered = (part: string) => part.replaceAll('2', '6').replaceAll('1', '5');
  return scaffold!.replace('@', renumbered(substituent!)).replace('~', linker! + renumbered(tail!));
}

/** Texts that are no molecule, for different reasons. */
export const invalidTexts = ['no-molecule', 'c1ccccc', 'C(C)(C)(C)(C)C', 'CC(', '[Xy]', 'C1CC'];

/** Atoms other than hydrogen, counted on the text: what `NumHeavyAtoms` must say of the row. */
export function heavyAtoms(smiles: string): number {
  return smiles
    .replaceAll(/\[([A-Za-z][a-z]?)[^\]]*\]/g, (_, atom: string) => atom.replace(/^nH?$/, 'n'))
    .match(/Cl|Br|[BCNOPSFI]|[bcnops]/g)!.length;
}
