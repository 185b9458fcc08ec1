import { z } from 'zod';
import { integerSetting } from '../domain/settings.js';

/** Settings of the hub on one machine (`npm start`). Its processes read their own besides. */
export const localSettings = z.object({
  PORT: integerSetting(1, 65_535).default(8080).describe('TCP port of the page and the HTTP API.'),
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address on which PORT is served; 0.0.0.0 makes the hub reachable from other machines.'),
  HUB_DATA_DIR: z.string().default('.hub').describe('Folder that holds all state of a hub on one machine.'),
  MODEL_HOST: z
    .enum(['local', 'kubernetes'])
    .default('local')
    .describe('Where model instances run: processes of this machine, or pods of a cluster.'),
  HUB_LOCAL_MODELS: z
    .string()
    .default('')
    .describe('JSON file, or folder of them, that maps further model ids to start commands.'),
  HUB_SILENCE_SECONDS: integerSetting(2, 86_400)
    .default(90)
    .describe('Seconds without an answer after which a process of the hub is killed and started again.'),
  HUB_POSTGRES_USER: z
    .string()
    .default('')
    .describe(
      'System user that runs Postgres when the hub is started as root; else postgres, then nobody, is tried.',
    ),
  HUB_TOOLS_DIR: z
    .string()
    .default('')
    .describe('Folder for downloaded programs; by default .hub/tools of the repository.'),
  TEMPORAL_CLI: z
    .string()
    .default('')
    .describe(
      'Path of the Temporal command line program; else the PATH, the tools folder and a download are tried.',
    ),
  TEMPORAL_TEST_SERVER: z
    .string()
    .default('')
    .describe('Path of the time-skipping Temporal test server, used by tests only; else it is downloaded.'),
});
export type LocalSettings = z.infer<typeof localSettings>;
