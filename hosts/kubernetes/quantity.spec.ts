import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readBytes, readDuration, readMillicores, readQuantity } from './quantity.js';

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

describe('durations of the cluster', () => {
  it.each([
    ['15s', 15],
    ['15.061s', 15.061],
    ['1m0s', 60],
    ['1h2m3.5s', 3723.5],
    ['250ms', 0.25],
  ])('reads %s', (text, seconds) => expect(readDuration(text)).toBeCloseTo(seconds, 9));

  it.each(['', '15', 's', '1m 0s', '-1s', 'soon', null, undefined])('takes %j for none', (text) =>
    expect(readDuration(text)).toBeNull(),
  );

  it('reads back what is written with hours, minutes and seconds', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100 }), fc.nat({ max: 59 }), fc.nat({ max: 59_999 }), (h, m, ms) => {
        expect(readDuration(`${h}h${m}m${ms / 1000}s`)).toBeCloseTo(h * 3600 + m * 60 + ms / 1000, 6);
      }),
    );
  });
});
