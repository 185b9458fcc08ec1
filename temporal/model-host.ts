import { createLocalModelHost } from '../hosts/local/local-model-host.js';
import type { ModelHost } from '../hosts/model-host.js';
import type { WorkerSettings } from './worker.config.js';

/** The place where instances run, as the settings say. @throws Error that names the setting that is missing */
export function createModelHost(settings: WorkerSettings): ModelHost {
  if (settings.MODEL_HOST === 'kubernetes') {
    throw new Error(
      'MODEL_HOST=kubernetes is not part of this version; leave it out to run instances on this machine',
    );
  }
  if (!settings.LOCAL_HOST_SOCKET) {
    throw new Error('LOCAL_HOST_SOCKET is missing: the worker needs the socket of the local host process');
  }
  return createLocalModelHost({ socketPath: settings.LOCAL_HOST_SOCKET });
}
