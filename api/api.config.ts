import { z } from 'zod';
import { claimLimitSettings } from '../db/claims.config.js';
import { databaseSettings, statementTimeoutSetting } from '../db/database.config.js';
import { retentionSettings } from '../db/retention.config.js';
import { integerSetting, logLevelSetting, switchSetting } from '../domain/settings.js';
import { DEFAULT_MAX_ROWS } from '../domain/work-request/limits.js';
import { temporalSettings } from '../temporal/temporal.config.js';

const httpSettings = z.object({
  PORT: integerSetting(0, 65_535).default(8080).describe('port of the HTTP server; 0 takes a free one'),
  HOST: z.string().default('0.0.0.0').describe('address the HTTP server listens on'),
  TRUST_PROXY: switchSetting
    .default(false)
    .describe('believe X-Forwarded-* headers; only behind a proxy that sets them'),
  PAGE_DIRECTORY: z.string().default('dist/web').describe('folder of the built web page'),
  LOG_LEVEL: logLevelSetting
    .default('warn')
    .describe('least severe message the api process writes: debug, info, warn or error'),
});

const hostSettings = z.object({
  MODEL_HOST: z.enum(['local', 'kubernetes']).default('local').describe('where instances run'),
  LOCAL_HOST_SOCKET: z
    .string()
    .optional()
    .describe('Unix socket of the local host process, to read logs; needed when MODEL_HOST is local'),
});

const identitySettings = z.object({
  USER_SESSION_MAX_AGE_SECONDS: integerSetting(10, 31_536_000)
    .default(300)
    .describe('seconds a registered session lives after sign-in or refresh'),
  ANONYMOUS_SESSION_MAX_AGE_SECONDS: integerSetting(10, 31_536_000)
    .default(172_800)
    .describe('seconds a guest session lives after sign-in or refresh'),
});

const catalogueSettings = z.object({
  ERSILIA_CATALOG_MODELS_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('address of the published list of all models, from which admins take what describes a model'),
  MODEL_HUB_RECORDS_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('address at which records of models are looked up when the list does not help'),
  MODEL_HUB_DETAILS_BASE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('address under which the record of one model lies, by its id; used with MODEL_HUB_RECORDS_URL'),
  MODEL_CATALOG_TIMEOUT_SECONDS: integerSetting(1, 120)
    .default(10)
    .describe('seconds after which such an address is given up'),
});

const limitSettings = z.object({
  GUEST_MAX_ROWS: integerSetting(1, 10_000_000)
    .default(DEFAULT_MAX_ROWS)
    .describe("rows of one guest's request at most"),
  REGISTERED_MAX_ROWS: integerSetting(1, 10_000_000)
    .default(DEFAULT_MAX_ROWS)
    .describe("rows of one registered user's request at most"),
  CHEMISTRY_THREADS: integerSetting(1, 16)
    .default(1)
    .describe('threads of the api process that read molecules to judge inputs'),
});

/** Settings of the api process. */
export const apiSettings = z.object({
  ...httpSettings.shape,
  ...hostSettings.shape,
  ...identitySettings.shape,
  ...limitSettings.shape,
  ...catalogueSettings.shape,
  ...databaseSettings.shape,
  // Somebody waits for every answer: better told soon that the database is away than served in half a minute.
  DATABASE_STATEMENT_TIMEOUT_MS: statementTimeoutSetting(10_000),
  ...temporalSettings.shape,
  ...retentionSettings.shape,
  ...claimLimitSettings.shape,
});
export type ApiSettings = z.infer<typeof apiSettings>;
