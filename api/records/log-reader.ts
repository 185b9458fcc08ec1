import { HostUnavailableError, type ModelHost } from '../../hosts/model-host.js';
import { createModelHost } from '../../temporal/model-host.js';
import type { ApiSettings } from '../api.config.js';

/** Reads the logs of running instances from where they run. It does nothing else there. */
export interface LogReader {
  /** The log as it is now; null when the host has none. @throws HostUnavailableError */
  readLogs(instanceId: string): Promise<string | null>;
  close(): Promise<void>;
}

/** Reaches for the host when the first log is asked for: most api processes never need one. */
export function createLogReader(settings: ApiSettings): LogReader {
  let host: ModelHost | null = null;
  const warn = (text: string) => console.warn(`reading logs: ${text}`);
  const open = () =>
    createModelHost(settings, process.env, warn).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new HostUnavailableError(why, { cause: error });
    });
  return {
    async readLogs(instanceId) {
      host ??= await open();
      return host.readLogs(instanceId);
    },
    close: async () => host?.close(),
  };
}
