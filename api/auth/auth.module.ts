import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard } from './access.guard.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { BearerStrategy } from './bearer.strategy.js';
import { CookieStrategy } from './cookie.strategy.js';
import { LegacyStrategy } from './legacy.strategy.js';
import { LoginStrategy } from './login.strategy.js';
import { SessionsService } from './sessions.service.js';

/** Who is calling, and what they may do. The guard stands before every route of the application. */
@Module({
  controllers: [AuthController],
  providers: [
    AuthService,
    SessionsService,
    LoginStrategy,
    BearerStrategy,
    LegacyStrategy,
    CookieStrategy,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [SessionsService],
})
export class AuthModule {}
