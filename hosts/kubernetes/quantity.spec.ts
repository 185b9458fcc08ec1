import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readBytes, readMillicores, readQuantity } from './quantity.js';

describe('quantities of the cluster', () => {
  it.each([
    ['0', 0],
    ['250m', 0.25],
    ['1.5Gi', 1.5 * 1024 ** 3],
    ['128974848', 128_974_848],
    ['129e6', 129e6],
    ['1E', 1e18],
    ['1E3', 1000],
    ['123456789n', 0.123456789],
    ['12k', 12_000],
  ])('reads %s', (text, value) => expect(readQuantity(text)).toBeCloseTo(value, 9));

  it.each(['', 'lots', '1 Gi', '1K', '--1', '1.2.3', 'Mi'])('takes %j for none', (text) => {
    expect(readQuantity(text)).toBeNull();
    expect(readBytes(text)).toBeNull();
  });

  it('rounds up, as a limit must never shrink', () => {
    expect(readMillicores('1500001n')).toBe(2);
    expect(readBytes('100m')).toBe(1);
    expect(readMillicores(undefined)).toBeNull();
  });

  it('reads back every number of millicores and bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000 }), (whole) => {
        expect(readMillicores(`${whole}m`)).toBe(whole);
        expect(readMillicores(`${whole}000000n`)).toBe(whole);
        expect(readBytes(`${whole}Ki`)).toBe(whole * 1024);
      }),
    );
  });
});
