import { describe, expect, it } from '@jest/globals';
import { countOf, formatBytes } from './numbers.js';
import { formatAge, formatDuration, formatMoment } from './times.js';

describe('numbers in words', () => {
  it.each([
    [1, '1 row'],
    [0, '0 rows'],
    [12_345, '12,345 rows'],
  ])('%i', (count, words) => expect(countOf(count, 'row')).toBe(words));

  it.each([
    [1, '1 byte'],
    [999, '999 bytes'],
    [14_200, '14.2 kB'],
    [48_000_000, '48.0 MB'],
  ])('%i bytes', (bytes, words) => expect(formatBytes(bytes)).toBe(words));
});

describe('times in words', () => {
  it.each([
    [-5, '0.0 s'],
    [420, '0.4 s'],
    [9_999, '10.0 s'],
    [59_999, '59 s'],
    [185_000, '3 min 05 s'],
    [7_620_000, '2 h 07 min'],
  ])('%i ms', (milliseconds, words) => expect(formatDuration(milliseconds)).toBe(words));

  it.each([
    [-3_000, 'just now'],
    [4_000, 'just now'],
    [30_000, '30 seconds ago'],
    [120_000, '2 minutes ago'],
    [86_400_000, 'yesterday'],
  ])('%i ms ago', (ago, words) => {
    const now = Date.parse('2026-02-03T04:05:06Z');
    expect(formatAge(new Date(now - ago).toISOString(), now)).toBe(words);
  });

  it.each([
    ['2026-02-03T04:05:06', '04:05:06'],
    ['2026-02-02T23:59:59', '2 Feb, 23:59:59'],
    ['2025-12-31T04:05:06', '31 Dec 2025, 04:05:06'],
  ])('%s, read on the 3rd of February 2026', (instant, words) => {
    expect(formatMoment(instant, Date.parse('2026-02-03T09:00:00'))).toBe(words);
  });
});
