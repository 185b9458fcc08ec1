import { z } from 'zod';
import { claimLimitSettings } from '../db/claims.config.js';
import { integerSetting, logLevelSetting } from '../domain/settings.js';

/** Settings of the worker, besides where Postgres and Temporal are. */
export const workerSettings = z.object({
  MODEL_HOST: z.enum(['local', 'kubernetes']).default('local').describe('where instances run'),
  LOCAL_HOST_SOCKET: z
    .string()
    .optional()
    .describe('Unix socket of the local host process; needed when MODEL_HOST is local'),
  ...claimLimitSettings.shape,
  INSTANCES_PER_REQUEST: integerSetting(1, 1000)
    .default(2)
    .describe('instances that may work for one request at once'),
  INSTANCE_READY_TIMEOUT_SECONDS: integerSetting(1, 86_400)
    .default(600)
    .describe('seconds an instance may take until it is ready, from the time a node has it'),
  INSTANCE_PENDING_TIMEOUT_SECONDS: integerSetting(1, 86_400)
    .default(600)
    .describe('seconds an instance may wait from its creation until a node has room for it'),
  INSTANCE_IMAGE_TIMEOUT_SECONDS: integerSetting(1, 86_400)
    .default(120)
    .describe(
      'seconds a node may go on reporting that it can not pull the image of an instance or make its container',
    ),
  INSTANCE_UNREADY_TIMEOUT_SECONDS: integerSetting(1, 86_400)
    .default(60)
    .describe(
      'seconds for which an instance that was ready may answer no health check; while it computes, its call has its own limit',
    ),
  INSTANCE_TERMINATING_TIMEOUT_SECONDS: integerSetting(1, 86_400)
    .default(180)
    .describe('seconds a host may take to remove an instance before its place counts as free all the same'),
  INSTANCE_ORPHAN_SECONDS: integerSetting(1, 86_400)
    .default(45)
    .describe(
      'seconds after its creation at which an instance that no row of the hub owns is ended, within 15 more',
    ),
  MODEL_RUN_TIMEOUT_SECONDS: integerSetting(1, 86_400)
    .default(1200)
    .describe('seconds a model server may take to answer one call with rows, or to finish a job of them'),
  MODEL_INTEGRATION_TIMEOUT: integerSetting(1, 600)
    .default(10)
    .describe('seconds a model server may take for any other call'),
  MODEL_REPLY_LIMIT_MIB: integerSetting(1, 1024)
    .default(32)
    .describe('an answer of a model server larger than this many MiB fails the request'),
  KEPT_LOG_KIB: integerSetting(1, 102_400)
    .default(1024)
    .describe("KiB of the end of an instance's log that are kept"),
  CHEMISTRY_THREADS: integerSetting(1, 64).default(1).describe('threads that read molecules'),
  LOG_LEVEL: logLevelSetting
    .default('info')
    .describe('least severe message the worker writes: debug, info, warn or error'),
});
export type WorkerSettings = z.infer<typeof workerSettings>;
