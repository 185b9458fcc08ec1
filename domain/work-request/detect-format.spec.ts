import { describe, expect, it } from '@jest/globals';
import type { Delimiter } from './delimiters.js';
import { detectFormat } from './detect-format.js';

describe('detecting the delimiter', () => {
  it.each<[string, string, Delimiter]>([
    ['a header and two columns', 'key,smiles\nBSYNRYMUTXBXSQ-UHFFFAOYSA-N,CCO\n', 'comma'],
    ['one column without header', 'CCO\r\nCC(=O)O\r\n', 'none'],
    ['one column with a header', 'smiles\nCCO\nCC', 'none'],
    ['one SMILES', 'CCO', 'none'],
    ['SMILES with bars', 'CCO |c:1,2|\nCC |c:1,2|', 'none'],
    ['a paste from a sheet', 'ethanol\tCCO\nmethane\tC', 'tab'],
    ['a paste whose names hold blanks', 'CCO\tethyl alcohol\nC\tmethane gas', 'tab'],
    ['semicolons with decimal commas', 'CCO;1,5\nCC;2,25', 'semicolon'],
    ['commas with semicolons in the names', 'CCO,a;b\nCC,c;d', 'comma'],
    ['quoted commas', '"2,2-dimethylpropane",CC(C)(C)C\nmethane,C', 'comma'],
    ['names with unquoted commas', 'CC(C)(C)C,2,2-dimethylpropane\nC,methane\nCC,ethane', 'comma'],
    ['SMILES and names', 'CCO ethanol\nC methane\nCC', 'blank'],
    ['SMILES, bars and names', 'CCO |c:1,2| ethanol\nC methane', 'blank'],
    ['SMILES lines with a header', 'smiles name\nCCO ethanol, pure\n', 'blank'],
    ['one row of two columns', 'CCO,ethanol', 'comma'],
    ['a header alone', 'id,smiles', 'comma'],
    ['columns without any SMILES', 'foo;bar\nbaz;qux', 'semicolon'],
    [
      'InChI in one column',
      'InChI=1S/CH4/h1H4\nInChI=1S/C9H8O4/c1-6(10)13-8-5-3-2-4-7(8)9(11)12/h2-5H,1H3,(H,11,12)',
      'none',
    ],
    ['nothing', '', 'none'],
    ['blank lines', '\n\n', 'none'],
  ])('sees %s', (_, text, expected) => {
    expect(detectFormat(text).delimiter).toBe(expected);
  });

  it.each<[string, Delimiter]>([
    ['text/tab-separated-values; charset=utf-8', 'tab'],
    ['chemical/x-daylight-smiles', 'blank'],
    ['Chemical/X-Daylight-SMILES', 'blank'],
    [';', 'semicolon'],
    ['none', 'none'],
    ['text/csv', 'comma'],
    ['text/plain', 'comma'],
    ['', 'comma'],
  ])('takes the hint %j as %s where it leaves no choice', (hint, expected) => {
    expect(detectFormat('CCO,ethanol', { hint }).delimiter).toBe(expected);
  });

  it('leaves the cut-off last line of a sample out', () => {
    const sample = 'CCO,ethanol\nCC,eth';
    expect(detectFormat(sample, { complete: false }).delimiter).toBe('comma');
    expect(detectFormat('CCO', { complete: false }).delimiter).toBe('none');
  });

  it('judges the first 1,000 records only', () => {
    expect(detectFormat('CCO,x\n'.repeat(1_000) + 'CCO\tx\n'.repeat(100_000)).delimiter).toBe('comma');
  });

  it('says why', () => {
    expect(detectFormat('CCO;1').because).toBe('split at each semicolon, one column holds SMILES');
    expect(detectFormat('CCO;1', { hint: 'tab' }).because).toBe('given by the caller (tab)');
  });
});
