import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toWireInstant } from './instant.js';

describe('an instant on the wire', () => {
  it.each([
    ['2026-02-03 04:05:06+00', '2026-02-03T04:05:06.000000Z'],
    ['2026-02-03 04:05:06.2+00', '2026-02-03T04:05:06.200000Z'],
    ['2026-02-03 04:05:06.123456+00', '2026-02-03T04:05:06.123456Z'],
    ['2024-02-29 23:59:59.999999+00:00', '2024-02-29T23:59:59.999999Z'],
    ['12026-01-01 00:00:00+0000', '12026-01-01T00:00:00.000000Z'],
  ])('writes %s of Postgres as %s', (text, wire) => {
    expect(toWireInstant(text)).toBe(wire);
  });

  it.each(['infinity', '-infinity', '2026-02-03 04:05:06+02', '2026-02-03T04:05:06.200000Z', ''])(
    'leaves %j alone: it is not an instant of a UTC session',
    (text) => {
      expect(toWireInstant(text)).toBe(text);
    },
  );

  it('names the same moment, to the microsecond', () => {
    const moment = fc.tuple(
      fc.date({
        min: new Date('1970-01-01T00:00:00Z'),
        max: new Date('9999-12-31T23:59:59Z'),
        noInvalidDate: true,
      }),
      fc.integer({ min: 0, max: 999_999 }),
    );
    fc.assert(
      fc.property(moment, ([date, micros]) => {
        const [day, time] = date.toISOString().slice(0, 19).split('T');
        const fraction = String(micros).padStart(6, '0');
        // Postgres leaves trailing zeros out, and the point with them.
        const shortened = `.${fraction}`.replace(/\.?0+$/, '');
        expect(toWireInstant(`${day} ${time}${shortened}+00`)).toBe(`${day}T${time}.${fraction}Z`);
      }),
    );
  });

  it('sorts as text the way it sorts in time', () => {
    const texts = ['2026-02-03 04:05:06.2+00', '2026-02-03 04:05:06+00', '2026-02-03 04:05:06.15+00'];
    expect(texts.map(toWireInstant).sort()).toEqual([
      '2026-02-03T04:05:06.000000Z',
      '2026-02-03T04:05:06.150000Z',
      '2026-02-03T04:05:06.200000Z',
    ]);
  });
});
