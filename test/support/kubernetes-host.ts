import { randomUUID } from 'node:crypto';
import { parseSettings } from '../../domain/settings.js';
import { kubernetesHostSettings } from '../../hosts/kubernetes/kubernetes-host.config.js';
import { createKubernetesModelHost } from '../../hosts/kubernetes/kubernetes-model-host.js';
import type { InstanceSpec, ModelHost } from '../../hosts/model-host.js';
import { MEBIBYTE } from '../factories/mebibyte.js';

interface HostOptions {
  readonly warn?: (text: string) => void;
  readonly hubId?: string;
}

/** A spec of an instance that any node of a test can hold. */
export function kubernetesSpec(over: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    instanceId: randomUUID(),
    modelId: 'eos-test',
    image: 'ersiliaos/eos-test:v1',
    templateVersion: '1.0.0',
    cpuRequestMillicores: 10,
    cpuLimitMillicores: 1000,
    memoryRequestBytes: 64 * MEBIBYTE,
    memoryLimitBytes: 128 * MEBIBYTE,
    labels: {},
    annotations: {},
    ...over,
  };
}

/** The hub that the hosts of a test belong to, unless it says otherwise. */
export const testHubId = 'hub-of-tests';

/** A host of this namespace as the kubeconfig's user; `warn` hears what it would log. */
export function openKubernetesHost(
  kubeconfig: string,
  namespace: string,
  environment: Readonly<Record<string, string>> = {},
  { warn = () => undefined, hubId = testHubId }: HostOptions = {},
): ModelHost {
  const given = { KUBECONFIG: kubeconfig, MODELS_NAMESPACE: namespace, ...environment };
  return createKubernetesModelHost(parseSettings(kubernetesHostSettings, given), hubId, warn);
}
