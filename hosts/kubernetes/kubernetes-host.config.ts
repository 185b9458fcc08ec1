import { z } from 'zod';
import { integerSetting } from '../../domain/settings.js';

/** Settings of whoever talks to a cluster; they matter when MODEL_HOST is kubernetes. */
export const kubernetesHostSettings = z.object({
  KUBECONFIG: z
    .string()
    .optional()
    .describe(
      'Path of the kubeconfig; without it the credentials of the pod the hub runs in, else ~/.kube/config.',
    ),
  KUBERNETES_CONTEXT: z
    .string()
    .optional()
    .describe('Context of the kubeconfig to use; without it its current context.'),
  MODELS_NAMESPACE: z
    .string()
    .default('eos-models')
    .describe('Namespace in which instances run and pod templates lie.'),
  HUB_NAME: z
    .string()
    .regex(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/, 'must be usable as the value of a label')
    .default('model-hub')
    .describe(
      'Name of the hub on its pods, in the label ersilia.hub; whose they are also says ersilia.hub-id, the id of its database.',
    ),
  MODEL_INTEGRATION_PORT: integerSetting(1, 65_535)
    .default(80)
    .describe('Port on which model servers listen, unless the pod template names another.'),
  MODEL_SERVER_ACCESS: z
    .enum(['pod-ip', 'port-forward'])
    .default('pod-ip')
    .describe(
      'How model servers are reached: at the address of their pod, or through the API server when the worker runs outside the cluster.',
    ),
  // Not 0: to a cluster that means to forget the pod at once, while its server may still run.
  INSTANCE_GRACE_PERIOD_SECONDS: integerSetting(1, 3600)
    .default(10)
    .describe('Seconds a model server may take to end after it was asked to.'),
  INSTANCE_FORCE_DELETE_SECONDS: integerSetting(1, 86_400)
    .default(120)
    .describe('Seconds after its grace period at which an instance that still exists is deleted by force.'),
  LARGEST_NODE_MEMORY_MIB: integerSetting(64, 16_777_216)
    .optional()
    .describe(
      'Memory of the largest node that instances can get, MiB; without it that of the largest node there is, or 16384 where nodes may not be read.',
    ),
  USAGE_SOURCE: z
    .enum(['metrics-api', 'prometheus', 'none'])
    .default('metrics-api')
    .describe('Where CPU and memory of instances are read: metrics.k8s.io, a Prometheus, or nowhere.'),
  PROMETHEUS_URL: z
    .url()
    .optional()
    .describe(
      'Address of the Prometheus that holds the metrics of cAdvisor; needed when USAGE_SOURCE is prometheus.',
    ),
});
export type KubernetesHostSettings = z.infer<typeof kubernetesHostSettings>;
