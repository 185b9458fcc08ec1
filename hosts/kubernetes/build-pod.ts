import type {
  V1Container,
  V1ObjectMeta,
  V1Pod,
  V1PodSpec,
  V1PodTemplateSpec,
  V1ResourceRequirements,
} from '@kubernetes/client-node';
import { bytesToMebibytes } from '../../domain/units.js';
import type { InstanceSpec } from '../model-host.js';
import type { FieldsOf } from './fields-of.js';
import { type HubIdentity, INSTANCE_LABEL, MODEL_LABEL, ownLabels, toLabelValue } from './hub-labels.js';
import { chooseNodes } from './node-choice.js';
import { buildAffinity } from './pod-affinity.js';
import { podNameOf } from './pod-name.js';
import { secureContainer, securePod } from './pod-security.js';

export interface PodSettings {
  readonly hub: HubIdentity;
  readonly namespace: string;
  /** Where model servers listen, unless the template names a port. */
  readonly modelPort: number;
  readonly gracePeriodSeconds: number;
}

/** Name of the container in which the model server runs, whatever a template calls it: its log is asked for by it. */
export const MODEL_CONTAINER = 'model';

/**
 * The pod of an instance: what the template says, else the built-in default, with the model's image and sizes, the
 * hub's labels, and everything that the restricted level of Pod Security asks for where the template leaves it open.
 */
export function buildPod(
  spec: InstanceSpec,
  template: V1PodTemplateSpec | null,
  settings: PodSettings,
): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: buildMetadata(spec, template?.metadata, settings),
    spec: buildSpec(spec, template?.spec, settings),
  };
}

function buildMetadata(
  spec: InstanceSpec,
  template: V1ObjectMeta | undefined,
  { hub, namespace }: PodSettings,
): V1ObjectMeta {
  const given = Object.entries(spec.labels).map(([key, value]) => [key, toLabelValue(value)]);
  const modelId = toLabelValue(spec.modelId);
  return {
    name: podNameOf(spec.instanceId),
    namespace,
    labels: {
      ...template?.labels,
      ...(Object.fromEntries(given) as Record<string, string>),
      'app.kubernetes.io/component': 'model',
      'app.kubernetes.io/part-of': 'eos-models',
      'app.kubernetes.io/instance': toLabelValue(`model-${spec.modelId}`),
      'app.kubernetes.io/managed-by': 'model-hub',
      'ersilia.modelsize': `${bytesToMebibytes(memoryOf(spec))}Mi`,
      [MODEL_LABEL]: modelId,
      [INSTANCE_LABEL]: toLabelValue(spec.instanceId),
      ...ownLabels(hub),
    },
    annotations: {
      'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
      ...template?.annotations,
      ...spec.annotations,
      'ersilia.serverid': hub.name,
      // A label can't hold every id as it is.
      [MODEL_LABEL]: spec.modelId,
      [INSTANCE_LABEL]: spec.instanceId,
    },
  };
}

function buildSpec(
  spec: InstanceSpec,
  template: FieldsOf<V1PodSpec> | undefined,
  settings: PodSettings,
): V1PodSpec {
  const { containers = [], initContainers, tolerations = [] } = template ?? {};
  const [first, ...others] = containers;
  const port = portOf(first) ?? settings.modelPort;
  const choice = chooseNodes(memoryOf(spec));
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: settings.gracePeriodSeconds,
    ...template,
    restartPolicy: 'Never',
    securityContext: securePod(template?.securityContext, port),
    tolerations: [...tolerations, ...choice.tolerations],
    affinity: buildAffinity(template?.affinity, choice.preferences, settings.hub.name),
    ...(initContainers ? { initContainers: initContainers.map(secureContainer) } : {}),
    containers: [buildModelContainer(spec, first, port), ...others.map(secureContainer)],
  };
}

function portOf(container: V1Container | undefined): number | undefined {
  return container?.ports?.[0]?.containerPort;
}

function buildModelContainer(
  spec: InstanceSpec,
  template: FieldsOf<V1Container> | undefined,
  port: number,
): V1Container {
  return secureContainer({
    readinessProbe: {
      httpGet: { path: '/healthz', port },
      periodSeconds: 2,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    ports: [{ name: 'http', containerPort: port }],
    // The last lines of the log say why a server ended; without this only the exit code would.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ...template,
    name: MODEL_CONTAINER,
    image: spec.image,
    resources: buildResources(spec, template?.resources),
  });
}

function buildResources(
  spec: InstanceSpec,
  template: FieldsOf<V1ResourceRequirements> | undefined,
): V1ResourceRequirements {
  const limits: Record<string, string> = { ...template?.limits, cpu: `${spec.cpuLimitMillicores}m` };
  delete limits.memory;
  if (spec.memoryLimitBytes !== null) limits.memory = String(spec.memoryLimitBytes);
  return {
    ...template,
    requests: {
      ...template?.requests,
      cpu: `${spec.cpuRequestMillicores}m`,
      memory: String(spec.memoryRequestBytes),
    },
    limits,
  };
}

function memoryOf(spec: InstanceSpec): number {
  return spec.memoryLimitBytes ?? spec.memoryRequestBytes;
}
