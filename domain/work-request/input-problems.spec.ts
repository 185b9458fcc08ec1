import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InputProblems } from './input-problems.js';
import { SeenTexts } from './seen-texts.js';

describe('the problems of an input', () => {
  it('counts and lists them by line', () => {
    const problems = new InputProblems({ maxRows: 5 });
    const rows: [number, string, boolean?][] = [
      [2, 'CCO', true],
      [3, ''],
      [4, 'foo', false],
      [7, ' CCO ', true],
      [9, 'CC'],
    ];
    expect(rows.map((row) => problems.addRow(...row))).toEqual([true, true, true, true, true]);
    expect(problems.addRow(10, 'CCO')).toBe(false);
    expect(problems.summary()).toEqual({
      rowCount: 6,
      counts: { invalid: 1, empty: 1, duplicate: 1, 'over-limit': 1, 'too-long': 0, 'unclosed-quote': 0 },
      first: [
        { line: 3, kind: 'empty', message: 'no SMILES' },
        { line: 4, kind: 'invalid', message: '“foo” is no molecule' },
        { line: 7, kind: 'duplicate', message: 'the same as line 2; both are answered' },
        { line: 10, kind: 'over-limit', message: 'row 6: at most 5 rows are accepted' },
      ],
    });
  });

  it('lets no kind hide another and sorts by line', () => {
    const problems = new InputProblems({ maxRows: 1_000, maxListed: 2 });
    for (let line = 1; line <= 500; line++) problems.addRow(line, 'CC');
    problems.addRow(501, 'foo', false);
    problems.report(3, 'unclosed-quote', 'a quote is left open');
    const { counts, first } = problems.summary();
    expect(counts.duplicate).toBe(499);
    expect(first.map(({ line, kind }) => `${line} ${kind}`)).toEqual([
      '2 duplicate',
      '3 duplicate',
      '3 unclosed-quote',
      '501 invalid',
    ]);
  });
});

describe('texts seen before', () => {
  it('finds the first line of every text, as a map would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 3, unit: fc.constantFrom('C', 'N', '\u0000', 'é') }), {
          maxLength: 4_000,
        }),
        (texts) => {
          const seen = new SeenTexts();
          const first = new Map<string, number>();
          texts.forEach((text, index) => {
            expect(seen.firstLine(text, index + 1)).toBe(first.get(text) ?? null);
            if (!first.has(text)) first.set(text, index + 1);
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('tells 300,000 similar texts apart', () => {
    const seen = new SeenTexts();
    let mistaken = 0;
    for (let index = 0; index < 300_000; index++)
      if (seen.firstLine(`C${index.toString(36)}`, index + 1) !== null) mistaken++;
    expect(mistaken).toBe(0);
    expect(seen.firstLine('C0', 1)).toBe(1);
    expect(seen.firstLine(`C${(299_999).toString(36)}`, 1)).toBe(300_000);
  });
});
