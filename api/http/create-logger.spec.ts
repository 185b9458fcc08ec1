import { describe, expect, it } from '@jest/globals';
import type { LogLevel } from '@nestjs/common';
import { apiSettings } from '../api.config.js';
import { workerSettings } from '../../temporal/worker.config.js';
import { type LogLevelName, logLevels } from '../../domain/settings.js';
import { createLogger } from './create-logger.js';

const shown = (level: LogLevelName) => {
  const logger = createLogger(level);
  const all: readonly LogLevel[] = ['debug', 'log', 'warn', 'error', 'fatal'];
  return all.filter((name) => logger.isLevelEnabled(name));
};

describe('LOG_LEVEL', () => {
  it.each(logLevels)('%s is known to every process that shares the environment', (level) => {
    expect(apiSettings.shape.LOG_LEVEL.parse(level)).toBe(level);
    expect(workerSettings.shape.LOG_LEVEL.parse(level)).toBe(level);
  });

  it('shows what is as severe or more', () => {
    expect(shown('debug')).toEqual(['debug', 'log', 'warn', 'error', 'fatal']);
    expect(shown('info')).toEqual(['log', 'warn', 'error', 'fatal']);
    expect(shown('warn')).toEqual(['warn', 'error', 'fatal']);
    expect(shown('error')).toEqual(['error', 'fatal']);
  });
});
