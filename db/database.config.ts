import { z } from 'zod';
import { integerSetting } from '../domain/settings.js';

/** Settings of every process that reads or writes records. */
export const databaseSettings = z.object({
  DATABASE_URL: z.string().min(1).describe('Postgres connection URL; Postgres 18 or newer'),
  DATABASE_POOL_MAX_SIZE: integerSetting(2, 200)
    .default(10)
    .describe('connections one process may hold at most'),
  DATABASE_STATEMENT_TIMEOUT_MS: integerSetting(100, 600_000)
    .default(30_000)
    .describe('a single statement is given up after this many milliseconds'),
});
export type DatabaseSettings = z.infer<typeof databaseSettings>;
