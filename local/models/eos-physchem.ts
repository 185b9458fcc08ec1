import { round6, type LocalModel } from './local-model.js';
import { rdkitDescriptors, usedDescriptors, type UsedDescriptors } from './rdkit-descriptors.js';

/** Lipinski and others 1997: at most 500 g/mol, logP 5, 5 donors, 10 acceptors. */
function lipinskiViolations(molecule: UsedDescriptors): number {
  const broken = [
    molecule.amw > 500,
    molecule.CrippenClogP > 5,
    molecule.lipinskiHBD > 5,
    molecule.lipinskiHBA > 10,
  ];
  return broken.filter(Boolean).length;
}

/** Veber and others 2002: at most 10 rotatable bonds and a polar surface of at most 140 Å². */
function passesVeber(molecule: UsedDescriptors): boolean {
  return molecule.NumRotatableBonds <= 10 && molecule.tpsa <= 140;
}

/** First triage of a library: size, lipophilicity, polarity, and two rules of thumb. */
export const eosPhyschem: LocalModel = {
  id: 'eos-physchem',
  version: 'v1.0.0',
  compute(molecule) {
    const descriptors = rdkitDescriptors(molecule);
    return {
      ...Object.fromEntries(usedDescriptors.map((name) => [name, round6(descriptors[name])])),
      lipinski_violations: lipinskiViolations(descriptors),
      veber_pass: passesVeber(descriptors),
    };
  },
};
