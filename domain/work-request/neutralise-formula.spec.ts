import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { neutraliseFormula, restoreFormula } from './neutralise-formula.js';

describe('neutralising formulas', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+cmd', "'+cmd"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', "'\r=1"],
    ['\n=1', "'\n=1"],
    ['＝1', "'＝1"],
    ["'=1", "''=1"],
    ['-5', '-5'],
    ['+1.5e-3', '+1.5e-3'],
    ['-', "'-"],
    ["'quoted", "'quoted"],
    ['CC=O', 'CC=O'],
    ['[O-]C', '[O-]C'],
    ['InChI=1S/CH4/h1H4', 'InChI=1S/CH4/h1H4'],
    ['', ''],
  ])('writes %j as %j and back', (text, written) => {
    expect(neutraliseFormula(text)).toBe(written);
    expect(restoreFormula(written)).toBe(text);
  });

  it('restores any text, and leaves none that a spreadsheet would run', () => {
    const text = fc.array(fc.constantFrom("'", '=', '+', '-', '@', '\t', '1', '.', 'C', ' '), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(text, (characters) => {
        const given = characters.join('');
        const written = neutraliseFormula(given);
        expect(restoreFormula(written)).toBe(given);
        expect(/^[=+\-@\t]/.test(written) && !/^[+-]?[\d.]+$/.test(written)).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });
});
