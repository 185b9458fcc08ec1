import { describe, expect, it } from '@jest/globals';
import { InputPlan } from '../../domain/work-request/plan-input.js';
import { toWireVerdict } from './to-wire-verdict.js';

async function verdictOn(text: string) {
  const plan = new InputPlan({
    header: 'auto',
    maxRows: 2_000,
    modelColumnCount: 12,
    checkedRows: 1_000,
    areMolecules: (texts) => Promise.resolve(texts.map((smiles) => !smiles.startsWith('bad'))),
  });
  await plan.push(text);
  await plan.end();
  return toWireVerdict(plan.report(), 2_000);
}

describe('a verdict on the wire', () => {
  it('hides no kind of problem behind another, however many there are', async () => {
    const lines = [
      ...Array.from({ length: 300 }, () => 'CC'),
      ...Array.from({ length: 200 }, () => ''),
      ...Array.from({ length: 60 }, (_, index) => `bad${index}`),
    ];
    const { problems, ...verdict } = await verdictOn(['smiles', ...lines].join('\n'));
    const listed = (kind: string) => problems.filter((problem) => problem.kind === kind).length;
    expect([verdict.invalid_count, verdict.empty_count, verdict.duplicate_count]).toEqual([60, 200, 299]);
    expect(['invalid', 'empty', 'duplicate'].map(listed)).toEqual([50, 50, 50]);
    const lineNumbers = problems.map(({ line }) => line);
    expect(lineNumbers).toEqual(lineNumbers.toSorted((left, right) => left - right));
  });

  it('cuts what is long in whole characters, so that it can be stored', async () => {
    const { preview } = await verdictOn(`smiles,name\nCC,${'x'.repeat(199)}🧪\n`);
    expect(preview[0]?.[1]).toBe(`${'x'.repeat(199)}\uFFFD`);
  });
});
