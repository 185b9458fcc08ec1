import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Session } from '../../domain/session/session.wire.js';
import { SESSION_COOKIE } from './credentials.js';

/** Sent with API calls of the hub's own pages only, and never readable by a script. */
const attributes = (request: FastifyRequest) =>
  `Path=/api; HttpOnly; SameSite=Lax${request.protocol === 'https' ? '; Secure' : ''}`;

/**
 * Gives the hub's own page its session as a cookie. A page of another origin gets none: it could otherwise sign a
 * visitor in as somebody else without being noticed.
 */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, session: Session): void {
  if (!isOwnOrigin(request)) return;
  const { session_token: token, session_max_age_seconds: maxAge } = session;
  void reply.header('set-cookie', `${SESSION_COOKIE}=${token}; Max-Age=${maxAge}; ${attributes(request)}`);
}

/** Takes the cookie back. */
export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header('set-cookie', `${SESSION_COOKIE}=; Max-Age=0; ${attributes(request)}`);
}

function isOwnOrigin({ headers, host }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}
