import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';

/** What was done, for those who answer for it. */
@Module({ controllers: [AuditController] })
export class AuditModule {}
