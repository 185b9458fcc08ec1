/** Five molecules with values that Python RDKit 2026.9.1 gives, ±0.001, in the order of `examples/five-molecules.csv`. */
export const knownMolecules = [
  {
    name: 'aspirin',
    smiles: 'CC(=O)Oc1ccccc1C(=O)O',
    key: 'BSYNRYMUTXBXSQ-UHFFFAOYSA-N',
    values: {
      amw: 180.159,
      tpsa: 63.6,
      CrippenClogP: 1.3101,
      CrippenMR: 44.7103,
      lipinskiHBA: 4,
      NumRotatableBonds: 2,
      NumAromaticRings: 1,
      FractionCSP3: 0.1111,
    },
  },
  {
    name: 'caffeine',
    smiles: 'Cn1c(=O)c2c(ncn2C)n(C)c1=O',
    key: 'RYYVLZVUVIJVGH-UHFFFAOYSA-N',
    values: {
      amw: 194.194,
      tpsa: 61.82,
      CrippenClogP: -1.0293,
      CrippenMR: 51.196,
      lipinskiHBA: 6,
      NumRotatableBonds: 0,
      NumAromaticRings: 2,
      FractionCSP3: 0.375,
    },
  },
  {
    name: 'paracetamol',
    smiles: 'CC(=O)Nc1ccc(O)cc1',
    key: 'RZVAJINKPMORJF-UHFFFAOYSA-N',
    values: {
      amw: 151.165,
      tpsa: 49.33,
      CrippenClogP: 1.3506,
      CrippenMR: 42.4105,
      lipinskiHBA: 3,
      NumRotatableBonds: 1,
      NumAromaticRings: 1,
      FractionCSP3: 0.125,
    },
  },
  {
    name: 'ibuprofen',
    smiles: 'CC(C)Cc1ccc(cc1)C(C)C(=O)O',
    key: 'HEFNNWSXXWATRW-UHFFFAOYSA-N',
    values: {
      amw: 206.285,
      tpsa: 37.3,
      CrippenClogP: 3.0732,
      CrippenMR: 61.0348,
      lipinskiHBA: 2,
      NumRotatableBonds: 4,
      NumAromaticRings: 1,
      FractionCSP3: 0.4615,
    },
  },
  {
    name: 'artemisinin',
    smiles: 'C[C@@H]1CC[C@H]2[C@@H](C)C(=O)O[C@@H]3O[C@@]4(C)CC[C@@H]1[C@@]23OO4',
    key: 'BLUAFEHZUWYNDE-NNWCWBAJSA-N',
    values: {
      amw: 282.336,
      tpsa: 53.99,
      CrippenClogP: 2.3949,
      CrippenMR: 68.047,
      lipinskiHBA: 5,
      NumRotatableBonds: 0,
      NumAromaticRings: 0,
      FractionCSP3: 0.9333,
    },
  },
] as const;

/** How far a value may be from the known one. */
export const KNOWN_TOLERANCE = 0.001;
