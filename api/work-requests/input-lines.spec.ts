import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { entriesText } from '../../domain/work-request/read-entries.js';
import { delimiters } from '../../domain/work-request/delimiters.js';
import { inputLines } from './input-lines.js';
import { planSubmission } from './plan-submission.js';

describe('the lines of a stored input', () => {
  it('are what was sent, where nothing had to be quoted', () => {
    const rows = [['a', 'CCO'], ['b'], ['c,d', 'C"C']];
    expect(inputLines({ delimiter: 'comma', hasHeader: true, columnNames: ['id', 'smiles'], rows })).toEqual([
      'id,smiles',
      'a,CCO',
      'b',
      '"c,d","C""C"',
    ]);
    expect(
      inputLines({ delimiter: 'blank', hasHeader: false, columnNames: [], rows: [['CCO', 'my name']] }),
    ).toEqual(['CCO my name']);
    expect(inputLines({ delimiter: 'none', hasHeader: false, columnNames: [], rows: [['C,C;C']] })).toEqual([
      'C,C;C',
    ]);
  });

  it('read again give the same rows, for any cell', async () => {
    const smiles = fc.constantFrom('CCO', 'c1ccccc1', 'CC(=O)O', 'C', 'N');
    const cell = fc
      .string({ unit: fc.constantFrom('a', 'B', ' ', ',', ';', '\t', '"', '-', '=', 'é', '1') })
      .filter((text) => text.trim() !== '');
    const rows = fc.array(
      fc.tuple(smiles, cell).map((row) => [...row]),
      { minLength: 1, maxLength: 12 },
    );
    const separated = fc.constantFrom(...delimiters.filter((name) => name !== 'none' && name !== 'blank'));
    await fc.assert(
      fc.asyncProperty(rows, separated, async (stored, delimiter) => {
        const lines = inputLines({
          delimiter,
          hasHeader: true,
          columnNames: ['smiles', 'note'],
          rows: stored,
        });
        const { shownRows, report } = await planSubmission(entriesText(lines), {
          hint: delimiter,
          header: 'auto',
          maxRows: 100,
          modelColumnCount: 1,
          areMolecules: (texts) => Promise.resolve(texts.map(() => true)),
        });
        expect(report.refusal).toBeNull();
        expect(shownRows).toEqual(stored);
      }),
    );
  });
});
