import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import { type LogLevelName, logLevels } from '../../domain/settings.js';

/** What Nest calls our levels. */
const nestLevels = {
  debug: ['debug'],
  info: ['log'],
  warn: ['warn'],
  error: ['error', 'fatal'],
} as const satisfies Record<LogLevelName, readonly LogLevel[]>;

/** The api's log: everything from this level on. */
export function createLogger(level: LogLevelName): ConsoleLogger {
  const shown = logLevels.slice(logLevels.indexOf(level)).flatMap((name) => nestLevels[name]);
  return new ConsoleLogger({ logLevels: shown, colors: false, prefix: 'api' });
}
