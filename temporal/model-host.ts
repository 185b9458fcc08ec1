import { type Environment, parseSettings } from '../domain/settings.js';
import { kubernetesHostSettings } from '../hosts/kubernetes/kubernetes-host.config.js';
import { createLocalModelHost } from '../hosts/local/local-model-host.js';
import type { ModelHost } from '../hosts/model-host.js';
import type { WorkerSettings } from './worker.config.js';

export interface ModelHostParts {
  readonly readHubId: () => Promise<string>;
  readonly warn: (text: string) => void;
}

/**
 * The place where instances run, as the settings say.
 * @param parts.readHubId gives the id of the hub's database, which a host that several hubs share knows its own by
 * @param parts.warn told of what makes the host blind for a while
 * @throws Error that names the setting that is missing
 */
export async function createModelHost(
  settings: Pick<WorkerSettings, 'MODEL_HOST' | 'LOCAL_HOST_SOCKET'>,
  environment: Environment,
  parts: ModelHostParts,
): Promise<ModelHost> {
  if (settings.MODEL_HOST === 'kubernetes') {
    // The cluster's client takes 85 MB and most of a second to load: only who talks to one pays that.
    const { createKubernetesModelHost } = await import('../hosts/kubernetes/kubernetes-model-host.js');
    const hostSettings = parseSettings(kubernetesHostSettings, environment);
    return createKubernetesModelHost(hostSettings, await parts.readHubId(), parts.warn);
  }
  if (!settings.LOCAL_HOST_SOCKET) {
    throw new Error('LOCAL_HOST_SOCKET is missing: the worker needs the socket of the local host process');
  }
  return createLocalModelHost({ socketPath: settings.LOCAL_HOST_SOCKET });
}
