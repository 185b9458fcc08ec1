import { Body, Controller, Get, HttpCode, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { LoginRequest, LoginResponse, Session } from '../../domain/session/session.wire.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { Access, Caller } from './access.js';
import { StatusOk, UserPermissions } from './auth.dto.js';
import { AuthService } from './auth.service.js';
import { LoginGuard } from './login.guard.js';
import type { ProvenUser } from './login.strategy.js';
import { clearSessionCookie, setSessionCookie } from './session-cookie.js';
import type { SignedIn } from './signed-in.js';

/** Sessions: sign in, renew, sign out. */
@ApiTags('auth')
@Controller('api/auth')
export class AuthController {
  readonly #auth: AuthService;

  constructor(auth: AuthService) {
    this.#auth = auth;
  }

  @Post('login')
  @HttpCode(200)
  @Access('public')
  @UseGuards(LoginGuard)
  @ApiOperation({ summary: 'Sign in with user name and password' })
  @ApiOkResponse({ standardSchema: LoginResponse })
  @ApiRefusals(400, 422, 503)
  async logIn(
    @Body({ schema: LoginRequest }) _body: LoginRequest,
    @Req() request: FastifyRequest & { user: ProvenUser },
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LoginResponse> {
    return withCookie(request, reply, await this.#auth.logIn(request.user.userId));
  }

  @Post('anonymous-login')
  @HttpCode(200)
  @Access('public')
  @ApiOperation({ summary: 'Enter as a guest; the hub issues identity, session and token' })
  @ApiOkResponse({ standardSchema: LoginResponse })
  @ApiRefusals(503)
  async createGuest(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LoginResponse> {
    return withCookie(request, reply, await this.#auth.createGuest());
  }

  @Post('anonymous-login/:session_id')
  @HttpCode(200)
  @Access('public')
  @ApiOperation({ summary: 'Enter as the guest of an id that the client made and keeps' })
  @ApiOkResponse({ standardSchema: LoginResponse })
  @ApiRefusals(400, 503)
  async enterAsGuest(
    @Param('session_id', { schema: z.string() }) sessionId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<LoginResponse> {
    return withCookie(request, reply, await this.#auth.enterAsGuest(sessionId));
  }

  @Post('logout')
  @HttpCode(200)
  @Access('session')
  @ApiOperation({ summary: 'End the session' })
  @ApiOkResponse({ standardSchema: StatusOk })
  @ApiRefusals(401, 503)
  async logOut(
    @Caller() caller: SignedIn,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof StatusOk>> {
    await this.#auth.logOut(caller);
    clearSessionCookie(request, reply);
    return { status: 'ok' };
  }

  @Post('session/refresh')
  @HttpCode(200)
  @Access('session')
  @ApiOperation({ summary: 'A new token for the session; the old one is dead at once' })
  @ApiOkResponse({ standardSchema: Session })
  @ApiRefusals(401, 503)
  async refresh(
    @Caller() caller: SignedIn,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    return withCookie(request, reply, await this.#auth.refresh(caller)).session;
  }

  @Get('permissions')
  @Access('session')
  @ApiOperation({ summary: 'What the caller may do' })
  @ApiOkResponse({ standardSchema: UserPermissions })
  @ApiRefusals(401, 404, 503)
  findPermissions(@Caller() caller: SignedIn): Promise<z.infer<typeof UserPermissions>> {
    return this.#auth.findPermissions(caller);
  }
}

function withCookie(request: FastifyRequest, reply: FastifyReply, login: LoginResponse): LoginResponse {
  setSessionCookie(request, reply, login.session);
  return login;
}
