import { Module, type DynamicModule } from '@nestjs/common';
import type { ApiSettings } from '../api.config.js';
import type { ApiParts } from './api-parts.js';
import { CHEMISTRY, LOG_READER, DATABASE, NOTIFICATIONS, SETTINGS, TEMPORAL } from './tokens.js';

/** Hands the opened parts and the settings to whoever asks for them by name. */
@Module({})
export class RecordsModule {
  static with(settings: ApiSettings, parts: ApiParts): DynamicModule {
    const providers = [
      { provide: SETTINGS, useValue: settings },
      { provide: DATABASE, useValue: parts.database },
      { provide: NOTIFICATIONS, useValue: parts.notifications },
      { provide: TEMPORAL, useValue: parts.temporal },
      { provide: LOG_READER, useValue: parts.logReader },
      { provide: CHEMISTRY, useValue: parts.chemistry },
    ];
    return { module: RecordsModule, global: true, providers, exports: providers };
  }
}
