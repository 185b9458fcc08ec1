import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import { Refusal } from '../http/refusal.js';
import { ACCESS, type AccessLevel } from './access.js';
import { isAdmin, type SignedIn } from './signed-in.js';

/** Lets in who the route's @Access allows, by whichever way the request signs in. */
@Injectable()
export class AccessGuard extends AuthGuard(['bearer', 'legacy', 'cookie']) {
  readonly #reflector: Reflector;

  constructor(reflector: Reflector) {
    super();
    this.#reflector = reflector;
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const level = this.#reflector.get<AccessLevel | undefined>(ACCESS, context.getHandler());
    if (level === undefined) throw new Error('the route states no permission; give it @Access');
    if (level === 'public') return true;
    await super.canActivate(context);
    const { user } = context.switchToHttp().getRequest<{ user: SignedIn }>();
    if (level === 'admin' && !isAdmin(user)) throw new Refusal(403, 'Unauthorised');
    return true;
  }

  override handleRequest<User>(error: Error | null, user: User | false): User {
    if (error) throw error;
    if (!user) throw new Refusal(401, 'Unauthenticated');
    return user;
  }
}
