import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bearerToken, cookieToken, legacyToken } from './credentials.js';
import { createSessionToken, hashSessionToken } from './session-token.js';

const token = createSessionToken();
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

describe('credentials', () => {
  it('are found in the place their scheme gives them', () => {
    expect(bearerToken({ authorization: `Bearer ${token}` })).toBe(token);
    expect(bearerToken({ authorization: `bearer ${token}` })).toBe(token);
    expect(legacyToken({ authorization: `ErsiliaUser ${encode({ session_token: token })}` })).toBe(token);
    expect(legacyToken({ authorization: `ErsiliaAnonymous ${encode({ session_token: token })}` })).toBe(
      token,
    );
    expect(cookieToken({ cookie: `theme=dark; hub_session=${token}; x=y` })).toBe(token);
  });

  it('are not found where they are not', () => {
    expect(bearerToken({})).toBeNull();
    expect(legacyToken({ authorization: `ersiliauser ${encode({ session_token: token })}` })).toBeNull();
    expect(legacyToken({ authorization: `ErsiliaUser  ${encode({ session_token: token })}` })).toBeNull();
    expect(cookieToken({ cookie: 'other_hub_session=x; hub_session=' })).toBeNull();
  });

  it('a cookie counts for nothing beside an Authorization header', () => {
    expect(cookieToken({ authorization: 'Bearer x', cookie: `hub_session=${token}` })).toBeNull();
  });

  it('no header makes them throw', () => {
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String().map((text) => `ErsiliaUser ${text}`),
      fc.json().map((json) => `ErsiliaUser ${Buffer.from(json).toString('base64')}`),
    );
    fc.assert(
      fc.property(header, (text) => {
        for (const read of [bearerToken, legacyToken])
          expect(['string', 'object']).toContain(typeof read({ authorization: text }));
        expect(['string', 'object']).toContain(typeof cookieToken({ cookie: text }));
      }),
    );
  });

  it('tokens are 256 bits, never the same, and stored as something else', () => {
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(createSessionToken()).not.toBe(token);
    expect(hashSessionToken(token)).toHaveLength(32);
    expect(hashSessionToken(token).toString('base64url')).not.toBe(token);
  });
});
