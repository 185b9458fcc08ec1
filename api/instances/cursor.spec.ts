import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isCursor, readCursor, writeCursor } from './cursor.js';

const time = fc
  .date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().replace('Z', '123Z'));
const id = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => !text.includes('\0'));

describe('a cursor', () => {
  it('names the place it was made of, with a number or without', () => {
    fc.assert(
      fc.property(time, id, fc.option(fc.nat(2_147_483_647)), (at, instance, number) => {
        const parts = number === null ? [at, instance] : [at, instance, number];
        expect(isCursor(writeCursor(parts))).toBe(true);
        expect(readCursor(writeCursor(parts))).toEqual(parts);
      }),
    );
  });

  it('is no text that somebody made up', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expect(isCursor(text)).toBe(false)));
    fc.assert(
      fc.property(fc.json(), (json) => expect(isCursor(Buffer.from(json).toString('base64url'))).toBe(false)),
    );
  });

  it.each([
    [['2026-13-01T00:00:00.000000Z', 'a']],
    [['2026-01-01', 'a']],
    [['2026-01-01T00:00:00.000000Z', 'a\0']],
    [['2026-01-01T00:00:00.000000Z', 7]],
    [['2026-01-01T00:00:00.000000Z', 'a', -1]],
    [['2026-01-01T00:00:00.000000Z', 'a', 1.5]],
    [['2026-01-01T00:00:00.000000Z', 'a', 2_147_483_648]],
    [['2026-01-01T00:00:00.000000Z']],
  ])('%j is no place, and reading it says what to do', (parts) => {
    expect(isCursor(writeCursor(parts))).toBe(false);
    expect(() => readCursor(writeCursor(parts))).toThrow('take the next_cursor of a page');
  });
});
