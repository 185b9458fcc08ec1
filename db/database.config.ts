import { z } from 'zod';
import { integerSetting } from '../domain/settings.js';

/**
 * How long one statement may take. Postgres gives it up; when even that is not heard of, the connection is.
 * @param defaultMs for the processes that take this setting
 */
export const statementTimeoutSetting = (defaultMs: number) =>
  integerSetting(100, 600_000)
    .default(defaultMs)
    .describe('a single statement is given up after this many milliseconds, a silent connection 1000 later');

/** Settings of every process that reads or writes records. */
export const databaseSettings = z.object({
  DATABASE_URL: z.string().min(1).describe('Postgres connection URL; Postgres 18 or newer'),
  DATABASE_POOL_MAX_SIZE: integerSetting(2, 200)
    .default(10)
    .describe('connections one process may hold at most'),
  DATABASE_STATEMENT_TIMEOUT_MS: statementTimeoutSetting(30_000),
});
export type DatabaseSettings = z.infer<typeof databaseSettings>;
