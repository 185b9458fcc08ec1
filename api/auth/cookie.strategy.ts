import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-custom';
import { cookieToken } from './credentials.js';
import { SessionsService } from './sessions.service.js';
import type { SignedIn } from './signed-in.js';

/** Signs a request in by the cookie of the hub's own page. */
@Injectable()
export class CookieStrategy extends PassportStrategy(Strategy, 'cookie') {
  readonly #sessions: SessionsService;

  constructor(sessions: SessionsService) {
    super();
    this.#sessions = sessions;
  }

  async validate(request: FastifyRequest): Promise<SignedIn | null> {
    const token = cookieToken(request.headers);
    return token === null ? null : this.#sessions.find(token);
  }
}
