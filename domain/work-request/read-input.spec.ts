import { describe, expect, it } from '@jest/globals';
import { JUDGED_CHARACTERS } from './limits.js';
import { InputReader } from './read-input.js';

/** Independence of how an input is cut is shown in plan-input.spec.ts. */
describe('reading an input of unknown delimiter', () => {
  it('returns nothing until the delimiter is decided, and everything at the end', () => {
    const reader = new InputReader({ maxRecords: 10 });
    expect(reader.push('CCO;1\nCC;')).toEqual([]);
    expect(reader.end()).toEqual([
      { line: 1, cells: ['CCO', '1'] },
      { line: 2, cells: ['CC', ''] },
    ]);
    expect(reader.delimiter).toBe('semicolon');
  });

  it('decides once enough is there, and reads on as it comes', () => {
    const reader = new InputReader({ maxRecords: 1_000_000 });
    const line = 'CCO\tethanol\n';
    expect(reader.push(line.repeat(Math.ceil(JUDGED_CHARACTERS / line.length))).length).toBeGreaterThan(
      20_000,
    );
    expect(reader.delimiter).toBe('tab');
    expect(reader.push('CC\tethane, gas\n')).toMatchObject([{ cells: ['CC', 'ethane, gas'] }]);
    expect(reader.end()).toEqual([]);
  });

  it('does not judge by a line that the sample cuts off', () => {
    const reader = new InputReader({ maxRecords: 10 });
    reader.push(`foo\nCCO ${'x'.repeat(JUDGED_CHARACTERS)}`);
    expect(reader.delimiter).toBe('none');
  });

  it('counts what it drops beyond the maximum', () => {
    const reader = new InputReader({ hint: 'comma', maxRecords: 2 });
    expect([...reader.push('a\nb\nc\n\nd'), ...reader.end()]).toHaveLength(2);
    expect(reader.droppedCount).toBe(3);
  });
});
