import { z } from 'zod';
import { integerSetting } from '../../domain/settings.js';

/** Settings of the local host process. Parsed with `parseSettings`. */
export const localHostSettings = z.object({
  LOCAL_HOST_SOCKET: z
    .string()
    .max(107, 'a Unix socket path holds at most 107 characters: use a shorter HUB_DATA_DIR or socket path')
    .describe('Path of the Unix socket on which the local host serves its clients.'),
  LOCAL_MODEL_COMMANDS: z
    .string()
    .default('')
    .describe(
      'Colon-separated JSON files, or folders of them, that map model ids to { "command": [...], "env": {...} }; the later entry of an id wins.',
    ),
  HUB_DATA_DIR: z.string().default('.hub').describe('Folder that holds all state of a hub on one machine.'),
  LOCAL_NODES: integerSetting(1, 1000)
    .default(4)
    .describe('Virtual nodes this machine is offered as, count.'),
  LOCAL_NODE_MEMORY_MIB: integerSetting(64, 16_777_216)
    .default(8192)
    .describe('Memory that instances on one virtual node may request together, MiB.'),
  LOCAL_NODE_CPU_MILLICORES: integerSetting(100, 10_000_000)
    .default(4000)
    .describe('CPU that instances on one virtual node may request together, millicores.'),
  LOCAL_SAMPLE_INTERVAL_MS: integerSetting(10, 10_000)
    .default(100)
    .describe('Time between two looks at the memory of all instances, milliseconds.'),
  LOCAL_READINESS_INTERVAL_MS: integerSetting(5, 10_000)
    .default(50)
    .describe(
      'Time between two health checks of a young instance that is not ready yet, milliseconds; a hundred times as long once it is ready.',
    ),
  LOCAL_LOG_CAP_BYTES: integerSetting(65_536, 1_073_741_824)
    .default(5 * 1024 * 1024)
    .describe('Log kept for one instance, bytes; the oldest lines go first.'),
});
