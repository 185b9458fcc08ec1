import { Logger } from '@nestjs/common';
import { HostUnavailableError, type ModelHost } from '../../hosts/model-host.js';
import { createModelHost } from '../../temporal/model-host.js';
import type { ApiSettings } from '../api.config.js';

/** Reads the logs of running instances from where they run. It does nothing else there. */
export type LogReader = Pick<ModelHost, 'readLogs' | 'followLogs' | 'close'>;

/** Reaches for the host when the first log is asked for: most api processes never need one. */
export function createLogReader(settings: ApiSettings, readHubId: () => Promise<string>): LogReader {
  let opening: Promise<ModelHost> | null = null;
  const warn = (text: string) => Logger.warn(`reading logs: ${text}`);
  const open = () => {
    opening ??= createModelHost(settings, process.env, { readHubId, warn }).catch((error: unknown) => {
      opening = null;
      const why = error instanceof Error ? error.message : String(error);
      throw new HostUnavailableError(why, { cause: error });
    });
    return opening;
  };
  return {
    readLogs: async (instanceId, options) => (await open()).readLogs(instanceId, options),
    async *followLogs(instanceId, signal, options) {
      yield* (await open()).followLogs(instanceId, signal, options);
    },
    close: async () => (await opening)?.close(),
  };
}
