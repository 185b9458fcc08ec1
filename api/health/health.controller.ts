import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Access } from '../auth/access.js';
import { Alive, Health } from './health.dto.js';
import { HealthService } from './health.service.js';

/** For supervisors and load balancers. */
@ApiTags('health')
@Controller()
export class HealthController {
  readonly #health: HealthService;

  constructor(health: HealthService) {
    this.#health = health;
  }

  @Get('livez')
  @Access('public')
  @ApiOperation({ summary: 'Is the process alive?' })
  @ApiOkResponse({ standardSchema: Alive })
  live(): z.infer<typeof Alive> {
    return { status: 'ok', hub: true };
  }

  @Get('readyz')
  @Access('public')
  @ApiOperation({
    summary: 'Can this process serve? Without Temporal it can: what it accepts is started later',
  })
  @ApiOkResponse({ standardSchema: Health })
  @ApiResponse({ status: 503, standardSchema: Health, description: 'The database is away' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const health = await this.#health.check();
    void reply.status(health.parts.database.ok ? 200 : 503);
    return health;
  }

  @Get('healthz')
  @Access('public')
  @ApiOperation({ summary: 'Are all parts there that the hub needs?' })
  @ApiOkResponse({ standardSchema: Health })
  @ApiResponse({ status: 503, standardSchema: Health, description: 'The database or Temporal is away' })
  async healthy(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const health = await this.#health.check();
    void reply.status(health.status === 'ok' ? 200 : 503);
    return health;
  }
}
