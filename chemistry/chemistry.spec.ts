/** Real RDKit in real threads. What threads do when they die is in molecule-threads.spec.ts. */
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createChemistry } from './chemistry.js';
import { moleculeLimits } from './molecule-text.js';
import { Rdkit } from './rdkit.js';

const known = [
  ['aspirin', 'CC(=O)Oc1ccccc1C(=O)O', 'BSYNRYMUTXBXSQ-UHFFFAOYSA-N'],
  ['caffeine', 'Cn1c(=O)c2c(ncn2C)n(C)c1=O', 'RYYVLZVUVIJVGH-UHFFFAOYSA-N'],
  ['paracetamol', 'CC(=O)Nc1ccc(O)cc1', 'RZVAJINKPMORJF-UHFFFAOYSA-N'],
  ['ibuprofen', 'CC(C)Cc1ccc(cc1)C(C)C(=O)O', 'HEFNNWSXXWATRW-UHFFFAOYSA-N'],
  [
    'artemisinin',
    'C[C@@H]1CC[C@H]2[C@@H](C)C(=O)O[C@@H]3O[C@@]4(C)CC[C@@H]1[C@@]23OO4',
    'BLUAFEHZUWYNDE-NNWCWBAJSA-N',
  ],
] as const;
const knownTexts = known.map(([, smiles]) => smiles);

/** Pieces that can follow one another in any order. */
const piece = fc.constantFrom(
  'C',
  'N',
  'O',
  'c1ccccc1',
  'C(=O)',
  'C(F)',
  '[C@H](O)',
  'C1CCC1',
  'S',
  'c1ccncc1',
);
const moleculeText = fc.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => pieces.join(''));

const chemistry = createChemistry({ threads: 1 });
afterAll(() => chemistry.close());

describe('identify', () => {
  it.each(known)('gives %s its InChIKey', async (_name, smiles, inchiKey) => {
    expect(await chemistry.identify([smiles])).toEqual([
      { valid: true, canonicalSmiles: expect.any(String), inchiKey },
    ]);
  });

  it('gives one canonical form to every way of writing a molecule', async () => {
    const rdkit = await Rdkit.load();
    await fc.assert(
      fc.asyncProperty(moleculeText, fc.integer({ min: 1, max: 1_000_000 }), async (text, randomSeed) => {
        const written = await rdkit.read(text, ({ mol }) =>
          mol.get_smiles(JSON.stringify({ doRandom: true, canonical: false, randomSeed })),
        );
        if (!written.valid) throw new Error(`the generator made ${text}`);
        const [asGiven, asWritten] = await chemistry.identify([text, written.value]);
        expect(asGiven).toMatchObject({ valid: true });
        expect(asWritten).toEqual(asGiven);
      }),
      { numRuns: 200 },
    );
  });

  it('gives back a canonical form as it is', async () => {
    await fc.assert(
      fc.asyncProperty(moleculeText, async (text) => {
        const [first] = await chemistry.identify([text]);
        if (!first?.valid) throw new Error(`the generator made ${text}`);
        expect(await chemistry.identify([first.canonicalSmiles])).toEqual([first]);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps an extension in the canonical form, for it can change what the molecule is', async () => {
    const [single, racemic] = await chemistry.identify(['C[C@@H](Cl)F', 'C[C@@H](Cl)F |&1:1|']);
    expect(single).toMatchObject({ canonicalSmiles: 'C[C@H](F)Cl' });
    expect(racemic).toMatchObject({ canonicalSmiles: 'C[C@H](F)Cl |&1:1|' });
  });

  it('accepts a molecule that InChI has no key for', async () => {
    expect(await chemistry.identify(['*'])).toEqual([{ valid: true, canonicalSmiles: '*', inchiKey: '' }]);
  });

  it('answers thousands of rows in their order', async () => {
    const texts = Array.from({ length: 1300 }, (_, row) =>
      row % 3 === 0 ? 'nonsense' : 'C'.repeat(1 + (row % 50)),
    );
    const identities = await chemistry.identify(texts);
    expect(identities.map((identity) => (identity.valid ? identity.canonicalSmiles : 'nonsense'))).toEqual(
      texts,
    );
  });
});

describe('areMolecules', () => {
  it.each([
    ['ethanol', 'CCO', true],
    ['white space around it', '  CCO\t', true],
    ['a salt', '[Na+].[Cl-]', true],
    ['an extension', 'CCO |$;;a label$|', true],
    ['500 atoms', 'C'.repeat(500), true],
    ['nothing', '', false],
    ['blanks', '   ', false],
    ['a name behind it', 'CCO ethanol', false],
    ['a line break inside', 'CCO\nCC', false],
    ['a wrong extension', 'CCO |oops|', false],
    ['an open ring', 'c1ccccc', false],
    ['a five-bonded carbon', 'C(C)(C)(C)(C)C', false],
    ['a reaction', 'CCO>>CC', false],
    ['a molecule as JSON', '{"rdkitjson":{"version":11}}', false],
    ['an InChI', 'InChI=1S/CH4/h1H4', false],
    ['501 atoms', 'C'.repeat(501), false],
    ['5,001 characters', '[13CH4]'.repeat(715), false],
    ['1,200 connected atoms', 'C'.repeat(1200), false],
  ])('judges %s', async (_what, text, verdict) => {
    expect(await chemistry.areMolecules([text])).toEqual([verdict]);
  });

  it('agrees with identify on any text', async () => {
    const anyText = fc.oneof(
      moleculeText,
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'CNOc1=()[]@+-#% |$'.split('')) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyText, { maxLength: 20 }), async (texts) => {
        const identities = await chemistry.identify(texts);
        expect(await chemistry.areMolecules(texts)).toEqual(identities.map(({ valid }) => valid));
      }),
      { numRuns: 100 },
    );
  });

  it('stops between pieces when told so', async () => {
    const controller = new AbortController();
    const asked = chemistry.areMolecules(Array<string>(20_000).fill('CCO'), controller.signal);
    controller.abort(new Error('no longer wanted'));
    await expect(asked).rejects.toThrow('no longer wanted');
    expect(await chemistry.areMolecules(['CCO'])).toEqual([true]);
  });
});

describe('draw', () => {
  it('draws a molecule as an SVG of the size asked for', async () => {
    const svg = await chemistry.draw('CC(=O)Oc1ccccc1C(=O)O', { width: 240, height: 160 });
    expect(svg).toMatch(/^<svg [^>]*width='240px' height='160px'/s);
    expect(svg?.trimEnd()).toMatch(/<\/svg>$/);
  });

  it('lets no markup from a label into the drawing', async () => {
    const svg = await chemistry.draw('CC* |$;;<script>alert(1)</script>$|', { width: 240, height: 160 });
    expect(svg).toContain('<svg');
    expect(svg).not.toContain('<script');
  });

  it('has nothing for what is not a molecule, and refuses odd sizes', async () => {
    expect(await chemistry.draw('nonsense', { width: 240, height: 160 })).toBeNull();
    await expect(chemistry.draw('CCO', { width: 0.5, height: 160 })).rejects.toThrow('whole numbers');
  });
});

describe('poison', () => {
  const unlimited = { characters: 1_000_000, atoms: 1_000_000, rings: 1_000_000 };
  const neverEnding = 'C('.repeat(700) + 'C' + ')'.repeat(700);

  it('costs the molecule that breaks RDKit, and no other', async () => {
    const unguarded = createChemistry({ threads: 1, limits: unlimited });
    try {
      const identities = await unguarded.identify([...knownTexts, 'C'.repeat(1200), ...knownTexts]);
      expect(identities.map(({ valid }) => valid)).toEqual([
        ...Array(5).fill(true),
        false,
        ...Array(5).fill(true),
      ]);
      expect(identities.slice(6)).toEqual(identities.slice(0, 5));
    } finally {
      await unguarded.close();
    }
  });

  it('costs the molecule that never ends, and no other', async () => {
    const losses: string[] = [];
    const onLoss = (message: string) => losses.push(message);
    const unguarded = createChemistry({ threads: 1, limits: unlimited, deadlineMs: 500, onLoss });
    try {
      const verdicts = await unguarded.areMolecules([...knownTexts, neverEnding, ...knownTexts]);
      expect(verdicts).toEqual([...Array(5).fill(true), false, ...Array(5).fill(true)]);
      expect(losses).toEqual([
        `gave up canonicalise of ${neverEnding.length} characters: not done after 1000 ms`,
      ]);
    } finally {
      await unguarded.close();
    }
  });

  it('is told from its letters within the limits, so that no thread is lost to it', async () => {
    expect(await chemistry.areMolecules([neverEnding, 'C'.repeat(moleculeLimits.atoms + 1)])).toEqual([
      false,
      false,
    ]);
  });
});

describe('memory', () => {
  it('stays flat over 20,000 molecules, good and bad', async () => {
    const texts = Array.from({ length: 5000 }, (_, row) =>
      row % 10 === 0 ? 'C1CC' : (knownTexts[row % 5] ?? ''),
    );
    await chemistry.identify(texts);
    globalThis.gc?.();
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 4; round += 1) await chemistry.identify(texts);
    const grownMebibytes = (process.memoryUsage.rss() - before) / 1024 / 1024;
    expect(grownMebibytes).toBeLessThan(100);
  });
});
