import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';

/** The session cookie: set at sign-in beside the JSON, for pages of the hub's own origin. */
export const SESSION_COOKIE = 'hub_session';

/** Longer than any token; what is longer is none. */
const LONGEST_HEADER = 8_192;

type Headers = Pick<IncomingHttpHeaders, 'authorization' | 'cookie'>;

/** The token of `Authorization: Bearer <token>`, or null. */
export function bearerToken({ authorization = '' }: Headers): string | null {
  if (authorization.length > LONGEST_HEADER) return null;
  return /^Bearer ([\w.~+/=-]+)$/i.exec(authorization)?.[1] ?? null;
}

/**
 * The token inside the original's header: `ErsiliaUser` or `ErsiliaAnonymous` (in exactly that spelling), one blank,
 * base64 of the session's JSON. What else the JSON claims is not looked at: only the token says who somebody is.
 */
export function legacyToken({ authorization = '' }: Headers): string | null {
  if (authorization.length > LONGEST_HEADER) return null;
  const encoded = /^Ersilia(?:User|Anonymous) ([A-Za-z0-9+/=]+)$/.exec(authorization)?.[1];
  if (encoded === undefined) return null;
  const session = LegacySession.safeParse(readJson(Buffer.from(encoded, 'base64').toString('utf8')));
  return session.success ? session.data.session_token : null;
}

const LegacySession = z.object({ session_token: z.string().min(1).max(512) });

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever can't be read is no credential; the caller is told 401 like anyone without one.
    return null;
  }
}

/** The token of the session cookie. A request with an Authorization header is judged by that header alone. */
export function cookieToken({ authorization, cookie = '' }: Headers): string | null {
  if (authorization !== undefined) return null;
  for (const part of cookie.split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === SESSION_COOKIE && value && value.length <= 512) return value;
  }
  return null;
}
