import { Module, type DynamicModule } from '@nestjs/common';
import type { ApiSettings } from './api.config.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { HealthModule } from './health/health.module.js';
import { InstancesModule } from './instances/instances.module.js';
import { ModelsModule } from './models/models.module.js';
import type { ApiParts } from './records/api-parts.js';
import { RecordsModule } from './records/records.module.js';
import { WorkRequestsModule } from './work-requests/work-requests.module.js';

/** The api process, room by room. */
@Module({})
export class AppModule {
  static with(settings: ApiSettings, parts: ApiParts): DynamicModule {
    return {
      module: AppModule,
      imports: [
        RecordsModule.with(settings, parts),
        AuthModule,
        ModelsModule,
        WorkRequestsModule,
        InstancesModule,
        AuditModule,
        HealthModule,
      ],
    };
  }
}
