import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';

/** Health of the process and of what it needs. */
@Module({ controllers: [HealthController], providers: [HealthService] })
export class HealthModule {}
