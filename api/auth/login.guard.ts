import { Injectable, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { LoginRequest } from '../../domain/session/session.wire.js';
import { Refusal } from '../http/refusal.js';
import { validated } from '../http/validate-input.js';

/** Lets through who gives the right user name and password. */
@Injectable()
export class LoginGuard extends AuthGuard('local') {
  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    // Guards run before pipes: a malformed body must be told apart from a wrong password here.
    validated(LoginRequest, context.switchToHttp().getRequest<FastifyRequest>().body, 'body');
    return super.canActivate(context) as Promise<boolean>;
  }

  override handleRequest<User>(error: Error | null, user: User | false): User {
    if (error) throw error;
    if (!user) throw new Refusal(400, 'Invalid username or password');
    return user;
  }
}
