import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../../local/repository.js';
import type { Kubelet } from './kubelet.js';
import { kubeletPort } from './kubelet.js';

/** A machine of the cluster. Sizes are all that pods may take. */
export interface NodeSpec {
  readonly name: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  /** `sim.test/provision-delay`, `sim.test/node-fault`. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Where an object is created, and the object; as text it is YAML. */
export type CreatedObject = readonly [path: string, object: object | string];

/** The node's object; kwok makes it ready. */
export function nodeObject(spec: NodeSpec, kubelet: Kubelet): object {
  const sizes = { cpu: `${spec.cpuMillicores}m`, memory: String(spec.memoryBytes), pods: '5000' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: spec.name,
      labels: { 'kubernetes.io/hostname': spec.name, 'kubernetes.io/os': 'linux', ...spec.labels },
      annotations: {
        'sim.test/node-ip': kubelet.address,
        'sim.test/kubelet-port': String(kubeletPort),
        ...spec.annotations,
      },
    },
    spec: spec.taints ? { taints: spec.taints } : {},
    status: { capacity: sizes, allocatable: sizes },
  };
}

/** A namespace as the chart asks for: pods that are not restricted are refused. */
export const namespaceObject = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
});

/** The group `metrics.k8s.io`, answered by our kubelet. */
export const metricsObjects = (kubelet: Kubelet): readonly CreatedObject[] => [
  [
    '/api/v1/namespaces/kube-system/services',
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'metrics-server', namespace: 'kube-system' },
      spec: { type: 'ExternalName', externalName: kubelet.address },
    },
  ],
  [
    '/apis/apiregistration.k8s.io/v1/apiservices',
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'metrics-server', namespace: 'kube-system', port: kubeletPort },
      },
    },
  ],
];

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const group = 'rbac.authorization.k8s.io';

/** A role as it is deployed, in another namespace than the deployed one. */
function deployedRole(file: string, namespace: string): string {
  const text = readFileSync(join(repositoryRoot(), 'deploy/kubernetes', file), 'utf8');
  return text.replaceAll(/^( *namespace:).*$/gm, `$1 ${namespace}`);
}

/** Binds a deployed role to the hub's users as it is bound to the hub's service account when deployed. */
const binding = (kind: 'Role' | 'ClusterRole', name: string, users: readonly string[]): object => ({
  apiVersion: `${group}/v1`,
  kind: `${kind}Binding`,
  metadata: { name },
  roleRef: { apiGroup: group, kind, name },
  subjects: users.map((user) => ({ apiGroup: group, kind: 'User', name: user })),
});

/** What the hub may do in a namespace, with and without a view of the nodes: exactly what is deployed. */
export const hubRoleObjects = (namespace: string): readonly CreatedObject[] => [
  [`${rbac}/namespaces/${namespace}/roles`, deployedRole('role.yaml', namespace)],
  [
    `${rbac}/namespaces/${namespace}/rolebindings`,
    binding('Role', 'model-hub', ['hub', 'hub-without-nodes']),
  ],
];

/** What lets `hub` reach pods through the API server besides, and nobody else. */
export const portForwardRoleObjects = (namespace: string): readonly CreatedObject[] => [
  [`${rbac}/namespaces/${namespace}/roles`, deployedRole('port-forward.yaml', namespace)],
  [`${rbac}/namespaces/${namespace}/rolebindings`, binding('Role', 'model-hub-port-forward', ['hub'])],
];

/** What the hub may see of the cluster's nodes; `hub-without-nodes` may not. */
export const hubClusterRoleObjects = (): readonly CreatedObject[] => [
  [`${rbac}/clusterroles`, deployedRole('cluster-role.yaml', '')],
  [`${rbac}/clusterrolebindings`, binding('ClusterRole', 'model-hub-nodes', ['hub'])],
];

/** The stages of kwok, filled in for one control plane. */
export function kwokConfiguration(
  kubelet: Kubelet,
  kwokPort: number,
  readiness: 'at once' | 'when served',
): string {
  const path = join(repositoryRoot(), 'test/kubernetes/control-plane/kwok.yaml');
  const values: Readonly<Record<string, string>> = {
    $NODE_IP: kubelet.address,
    $KUBELET_PORT: String(kubeletPort),
    $KWOK_PORT: String(kwokPort),
    $POD_CIDR: `${kubelet.range}.0.0/16`,
    $SERVED: readiness === 'at once' ? 'NotIn, values: [never]' : 'In, values: [healthy, none]',
  };
  return readFileSync(path, 'utf8').replace(/\$[A-Z_]+/g, (name) => values[name] ?? name);
}
