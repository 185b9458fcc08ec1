import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InputPlan } from './plan-input.js';
import type { InputPlanOptions } from './plan-input.js';
import type { PlannedShard } from './plan-shards.js';
import { entriesText, headerModeOf } from './read-entries.js';

const MOLECULES = new Set(['CCO', 'CC', 'C', 'N', 'CCN', 'CC(C)(C)C', 'CCO |c:1,2|']);
const isMolecule = (text: string) => MOLECULES.has(text);

async function plan(pieces: Iterable<string>, given: Partial<InputPlanOptions> = {}) {
  const asked: string[][] = [];
  const input = new InputPlan({
    header: 'auto',
    maxRows: 100_000,
    modelColumnCount: 12,
    areMolecules: (texts) => {
      asked.push([...texts]);
      return Promise.resolve(texts.map(isMolecule));
    },
    ...given,
  });
  const shards: PlannedShard[] = [];
  for (const piece of pieces) shards.push(...(await input.push(piece)));
  shards.push(...(await input.end()));
  return { shards, rows: shards.flatMap((shard) => shard.rows), asked, report: input.report() };
}

function cut(text: string, length: number): string[] {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, index) =>
    text.slice(index * length, (index + 1) * length),
  );
}

describe('planning an input', () => {
  it.each<[string, string, Partial<InputPlanOptions>, string[][], string]>([
    ['without header, CRLF', 'CCO\r\nCC\r\n', {}, [['CCO'], ['CC']], 'no header, column_1'],
    [
      'with a byte-order mark and semicolons',
      '\uFEFFname;smiles\r\nethanol;CCO\r\n',
      {},
      [['ethanol', 'CCO']],
      'header, smiles',
    ],
    [
      'with quoted commas',
      'id,mol\n"2,2-dimethylpropane",CC(C)(C)C\n"a ""b""",CCO\n',
      {},
      [
        ['2,2-dimethylpropane', 'CC(C)(C)C'],
        ['a "b"', 'CCO'],
      ],
      'header, mol',
    ],
    [
      'of SMILES lines',
      'CCO ethyl alcohol\nCC ethane\n',
      { hint: 'chemical/x-daylight-smiles' },
      [
        ['CCO', 'ethyl alcohol'],
        ['CC', 'ethane'],
      ],
      'no header, smiles',
    ],
    [
      'with bars',
      'CCO |c:1,2|,x\nCC,y',
      {},
      [
        ['CCO |c:1,2|', 'x'],
        ['CC', 'y'],
      ],
      'no header, column_1',
    ],
    [
      'pasted from a sheet',
      'ethanol\tCCO\nethane\tCC\n\n',
      {},
      [
        ['ethanol', 'CCO'],
        ['ethane', 'CC'],
      ],
      'no header, column_2',
    ],
    ['with blank lines and duplicates', 'CCO\n\nCCO\n', {}, [['CCO'], [''], ['CCO']], 'no header, column_1'],
    ['whose first line the caller calls a header', 'CCO\nCC', { header: 'yes' }, [['CC']], 'header, CCO'],
  ])('keeps every row of a file %s', async (_, text, options, rows, verdict) => {
    const planned = await plan([text], options);
    expect(planned.rows).toEqual(rows);
    const { header, column } = planned.report.verdict ?? { header: false, column: { name: '' } };
    expect(`${header ? 'header' : 'no header'}, ${column.name}`).toBe(verdict);
    expect(planned.report.refusal).toBeNull();
  });

  it('reports problems by original line, blank lines and line ends in cells counted', async () => {
    const text = 'id,smiles\n1,CCO\n"2\n2",foo\n\n3,CCO\n4,\n5,CC';
    const { report, rows } = await plan([text], { checkedRows: 1_000 });
    expect(report.problems.first.map(({ line, kind }) => `${line} ${kind}`)).toEqual([
      '3 invalid',
      '5 empty',
      '6 duplicate',
      '7 empty',
    ]);
    expect(rows).toHaveLength(6);
    expect(report).toMatchObject({ judgedRows: 6, preview: rows.slice(0, 5) });
  });

  it('asks chemistry once to judge and once to check, each text once', async () => {
    const { asked } = await plan(['CCO\nfoo\nCCO\nCC'], { checkedRows: 3 });
    expect(asked).toEqual([['CCO', 'CC'], ['foo']]);
    expect((await plan(['smiles\nCCO'])).asked).toEqual([]);
  });

  it.each<[string, string, Partial<InputPlanOptions>, string, RegExp]>([
    ['no row', '\n\n', {}, 'empty', /holds no row/],
    ['a header alone', 'smiles\n', {}, 'header-only', /a header \(line 1\) and no row/],
    ['an unknown column', 'CCO,x', { column: 'mol' }, 'unknown-column', /no column “mol”/],
    [
      'too many rows',
      'smiles\n' + 'CC\n'.repeat(11),
      { maxRows: 10 },
      'over-limit',
      /has 11 rows, at most 10/,
    ],
    ['far too many rows', 'CC\n'.repeat(5_000), { maxRows: 10 }, 'over-limit', /has 5000 rows, at most 10/],
    [
      'a row that is too large',
      `CC\nCC${' '.repeat(3)}"${'x'.repeat(300_000)}`,
      {},
      'row-too-large',
      /^Line 2: the row has 300007 bytes/,
    ],
    [
      'a record too long to read',
      `CC\n"${'x\n'.repeat(600_000)}`,
      {},
      'row-too-large',
      /^Line 2: .*quote left open/,
    ],
    [
      'a quote that swallows lines',
      'smiles,id\nCC,1\nCCO,"2\nC,3\n',
      {},
      'unclosed-quote',
      /^Line 3: a quote is left open/,
    ],
  ])('refuses %s', async (_, text, options, code, message) => {
    const { report, shards } = await plan([text], { hint: 'comma', ...options });
    expect(report.refusal).toMatchObject({ ok: false, code, message: expect.stringMatching(message) });
    expect(shards).toEqual([]);
  });

  it('counts every row of an input that is far too long, also those it no longer reads', async () => {
    const { report } = await plan(['smiles\n' + 'CC\n'.repeat(5_000)], { maxRows: 10 });
    expect(report.problems).toMatchObject({ rowCount: 5_000, counts: { 'over-limit': 4_990 } });
    expect(report.refusal?.message).toContain('has 5000 rows');
  });

  it('accepts exactly as many rows as allowed, blank lines before the header not counted', async () => {
    const { report, rows } = await plan(['\n'.repeat(50) + 'smiles\n' + 'CC\n'.repeat(10)], { maxRows: 10 });
    expect([report.refusal, rows.length]).toEqual([null, 10]);
  });

  it('keeps a quote left open on the last line, and says so', async () => {
    const { report, rows } = await plan(['CC,1\nCCO,"2']);
    expect([report.refusal, rows[1]]).toEqual([null, ['CCO', '2']]);
    expect(report.problems.counts['unclosed-quote']).toBe(1);
  });

  it('plans shards as the model’s width asks', async () => {
    const { shards } = await plan(['smiles\n' + 'CC\n'.repeat(200)], { modelColumnCount: 2_048 });
    expect(shards.map(({ shardNo, firstRow, rows }) => [shardNo, firstRow, rows.length])).toEqual([
      [0, 0, 97],
      [1, 97, 97],
      [2, 194, 6],
    ]);
  });

  const part = fc.constantFrom(
    'CCO',
    'CC',
    'foo',
    'smiles',
    ',',
    ';',
    '\t',
    ' ',
    '"',
    '\n',
    '\r\n',
    '|',
    ' |',
    '',
    'é',
  );
  const line = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(''));

  it('plans the same however the text is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.integer({ min: 1, max: 9 }),
        async (lines, length) => {
          const text = lines.join('\n');
          expect(await plan(cut(text, length), { checkedRows: 5 })).toEqual(
            await plan([text], { checkedRows: 5 }),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('judges an input of very long rows before they fill the memory, by the same rows however it is cut', async () => {
    const row = (n: number) => `note ${n} ${'x'.repeat(50_000)},${n % 3 ? 'CCO' : 'CC'}\n`;
    const text = `note,mol\n${Array.from({ length: 100 }, (_, n) => row(n)).join('')}`;
    const input = new InputPlan({
      header: 'auto',
      maxRows: 100_000,
      modelColumnCount: 1,
      areMolecules: async (texts) => texts.map(isMolecule),
    });
    for (const piece of cut(text.slice(0, 2_500_000), 16_384)) await input.push(piece);
    expect(input.report().verdict).toMatchObject({ header: true, column: { index: 1, name: 'mol' } });
    const whole = await plan([text], { checkedRows: 1_000 });
    // 2 MiB at some 50,011 each: the 42nd row reaches it.
    expect(whole.report).toMatchObject({ judgedRows: 42, problems: { rowCount: 100 } });
    for (const length of [4_999, 65_536, 2_097_152])
      expect(await plan(cut(text, length), { checkedRows: 1_000 })).toEqual(whole);
  });

  it('plans a large input the same however it is cut', async () => {
    const text =
      'name,mol\n' +
      Array.from({ length: 90_000 }, (_, row) => `row ${row},${row % 7 ? 'CCO' : 'CC'}\n`).join('');
    const whole = await plan([text]);
    expect(whole.rows).toHaveLength(90_000);
    expect(await plan(cut(text, 10_007))).toEqual(whole);
  });
});

describe('a list of entries', () => {
  it('gives exactly what the raw body of those lines gives', async () => {
    const part = fc.constantFrom(
      'CCO',
      'CC',
      'foo',
      'smiles',
      ',',
      ';',
      '\t',
      ' ',
      '"',
      '\n',
      '\r',
      '|',
      ' |',
      '\uFEFF',
    );
    const entry = fc.oneof(
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('')),
      fc.string(),
    );
    const hasHeader = fc.constantFrom(true, false, null, undefined);
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 8 }), hasHeader, async (entries, given) => {
        const header = headerModeOf(given);
        expect(await plan(entriesText(entries), { header })).toEqual(
          await plan([entries.join('\n')], { header }),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('without has_header never loses its first molecule', async () => {
    const header = headerModeOf(undefined);
    expect((await plan(entriesText(['CCO', 'CC', 'C']), { header })).rows).toEqual([['CCO'], ['CC'], ['C']]);
    expect((await plan(entriesText(['smiles', 'CC']), { header })).rows).toEqual([['CC']]);
    expect([headerModeOf(true), headerModeOf(false), headerModeOf(null)]).toEqual(['yes', 'no', 'auto']);
  });

  it('is handed on in pieces of bounded size', () => {
    const entries = Array.from({ length: 50_000 }, (_, index) => `C${index}`);
    const pieces = [...entriesText(entries)];
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(70_000);
    expect(pieces.join('')).toBe(entries.join('\n'));
  });
});
