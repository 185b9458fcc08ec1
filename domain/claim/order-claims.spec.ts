import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EXPECTED_GRANT_SECONDS, orderClaims, type WaitingClaim } from './order-claims.js';

const claim = (
  leaseToken: string,
  userId: string,
  requestedAtMs: number,
  usageSeconds = 0,
): WaitingClaim => ({
  leaseToken,
  userId,
  requestedAtMs,
  usageSeconds,
});
const tokens = (claims: readonly WaitingClaim[]) => claims.map(({ leaseToken }) => leaseToken);

const someClaims = fc.array(
  fc.record({
    leaseToken: fc.uuid(),
    userId: fc.constantFrom('ada', 'bert', 'cleo', 'dora'),
    requestedAtMs: fc.integer({ min: 0, max: 1_000_000 }),
    usageSeconds: fc.constant(0),
  }),
  { maxLength: 40 },
);

describe('the order between users', () => {
  it('serves one user first come first served', () => {
    expect(tokens(orderClaims([claim('late', 'ada', 2), claim('early', 'ada', 1)]))).toEqual([
      'early',
      'late',
    ]);
  });

  it('lets the user who used less go first, though he came later', () => {
    const order = orderClaims([claim('heavy', 'ada', 1, 100), claim('light', 'bert', 2, 0)]);
    expect(tokens(order)).toEqual(['light', 'heavy']);
  });

  it('interleaves a flood of one user with the single claim of another', () => {
    const flood = Array.from({ length: 10 }, (_, index) => claim(`flood-${index}`, 'ada', index));
    const order = tokens(orderClaims([...flood, claim('single', 'bert', 999)]));
    // Both start at 0: the flood's first claim is older, then Ada is charged and Bert is next.
    expect(order.indexOf('single')).toBe(1);
  });

  it('takes a user who is ahead by three grants three claims later', () => {
    const own = Array.from({ length: 5 }, (_, index) => claim(`a${index}`, 'ada', index));
    const order = tokens(orderClaims([...own, claim('b', 'bert', 0, 3 * EXPECTED_GRANT_SECONDS - 1)]));
    expect(order).toEqual(['a0', 'a1', 'a2', 'b', 'a3', 'a4']);
  });

  it('keeps every claim exactly once, each user in order of arrival', () => {
    fc.assert(
      fc.property(someClaims, (claims) => {
        const order = orderClaims(claims);
        expect(tokens(order).toSorted()).toEqual(tokens(claims).toSorted());
        for (const own of Map.groupBy(order, ({ userId }) => userId).values()) {
          const times = own.map(({ requestedAtMs }) => requestedAtMs);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it('takes each next claim from the user who has used least, what was given out before counted', () => {
    const uses = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(someClaims, uses, (claims, [ada, bert, cleo, dora]) => {
        const used: Record<string, number> = { ada: ada!, bert: bert!, cleo: cleo!, dora: dora! };
        const order = orderClaims(claims.map((each) => ({ ...each, usageSeconds: used[each.userId]! })));
        for (const [index, { userId }] of order.entries()) {
          const waiting = new Set(order.slice(index).map((each) => each.userId));
          expect(used[userId]).toBe(Math.min(...[...waiting].map((each) => used[each]!)));
          used[userId]! += EXPECTED_GRANT_SECONDS;
        }
      }),
    );
  });

  it('gives equal users equal shares of every beginning of the line, within one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), (many, few) => {
        const claims = [
          ...Array.from({ length: many }, (_, index) => claim(`a${index}`, 'ada', index)),
          ...Array.from({ length: few }, (_, index) => claim(`b${index}`, 'bert', index)),
        ];
        const firsts = orderClaims(claims).slice(0, 2 * Math.min(many, few));
        const ofAda = firsts.filter(({ userId }) => userId === 'ada').length;
        expect(Math.abs(ofAda - firsts.length / 2)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
