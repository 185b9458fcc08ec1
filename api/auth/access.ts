import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { SignedIn } from './signed-in.js';

/** Who may call a route: anybody, any valid session, or a session with the permission ADMIN. */
export const accessLevels = ['public', 'session', 'admin'] as const;
export type AccessLevel = (typeof accessLevels)[number];

export const ACCESS = 'hub:access';

/** States who may call a route; a route without it lets nobody in, and fails a test. */
export const Access = (level: AccessLevel) => SetMetadata(ACCESS, level);

/** Who is calling. Only on routes that need a session. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): SignedIn => {
  const { user } = context.switchToHttp().getRequest<FastifyRequest & { user?: SignedIn }>();
  if (!user) throw new Error('a route without a session asked who is calling; give it @Access("session")');
  return user;
});
