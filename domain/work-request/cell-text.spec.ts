import { describe, expect, it } from '@jest/globals';
import {
  isInchiKey,
  isPlainNumber,
  isSmilesAlone,
  looksLikeSmiles,
  shorten,
  smilesNameRank,
} from './cell-text.js';

describe('what a cell looks like', () => {
  it.each([
    'CCO',
    'c1ccccc1',
    'CC(=O)Oc1ccccc1C(=O)O',
    '[Na+].[Cl-]',
    'C[C@@H]1CC[C@H]2[C@@H](C)C(=O)O2',
    'C%12CC%12',
    'F/C=C/F',
    'CC>>CO',
    '*',
    '[#6]',
    'CCO |c:1,2|',
    'CCO ethanol',
    ' CCO ',
    'C%(123)CC%(123)',
    'C->[Fe]',
    'BrCCCl',
  ])('%j may be SMILES', (text) => {
    expect(looksLikeSmiles(text)).toBe(true);
  });

  it.each([
    '',
    ' ',
    'aspirin',
    'BSYNRYMUTXBXSQ-UHFFFAOYSA-N',
    'InChI=1S/CH4/h1H4',
    '12',
    '1.5',
    'smiles',
    'CHEMBL25',
    'C,C',
    'C'.repeat(5_001),
    '[Na',
    '(-)',
  ])('%j cannot', (text) => {
    expect(looksLikeSmiles(text)).toBe(false);
  });

  it('takes a SMILES with bars for one SMILES, but not one with a name', () => {
    const texts = ['CCO', 'CCO |c:1|', 'CCO ethanol', 'CCO |c:1| ethanol', 'CCO |c:1', 'CCO |'];
    expect(texts.map(isSmilesAlone)).toEqual([true, true, false, false, false, false]);
  });

  it('knows InChIKeys and plain numbers', () => {
    const texts = [
      'BSYNRYMUTXBXSQ-UHFFFAOYSA-N',
      'bsynrymutxbxsq-uhfffaoysa-n',
      '-1.5e-7',
      '.5',
      '5.',
      '1,5',
      '1e',
      '',
    ];
    expect(texts.map(isInchiKey)).toEqual([true, false, false, false, false, false, false, false]);
    expect(texts.map(isPlainNumber)).toEqual([false, false, true, true, true, false, false, false]);
  });

  it('ranks known column names in any case', () => {
    const names = ['SMILES', ' Canonical Smiles ', 'can-smiles', 'Input', 'structure', 'smile', ''];
    expect(names.map(smilesNameRank)).toEqual([0, 1, 2, 3, 4, -1, -1]);
  });

  it('decides on a hostile text at once', () => {
    const started = performance.now();
    for (const text of ['C'.repeat(4_999) + '!', '['.repeat(4_999), '(('.repeat(2_000)])
      looksLikeSmiles(text);
    for (const digits of ['1'.repeat(100_000), `+${'1'.repeat(50_000)}.${'1'.repeat(50_000)}`])
      isPlainNumber(`${digits}x`);
    expect(performance.now() - started).toBeLessThan(200);
  });

  it('shortens long texts to 40 characters', () => {
    expect(shorten('C'.repeat(41))).toBe(`${'C'.repeat(39)}…`);
    expect(shorten('C'.repeat(40))).toBe('C'.repeat(40));
  });
});
