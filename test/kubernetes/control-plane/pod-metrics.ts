import type { ServerResponse } from 'node:http';

/** What a pod or node uses now. */
export interface Usage {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

interface PodUsage extends Usage {
  /** Of what runs beside the model server. */
  readonly beside?: Usage;
}

const groupVersion = 'metrics.k8s.io/v1beta1';
const root = `/apis/${groupVersion}`;
/** What metrics-server says of the time over which it measured. */
const window = '15s';

/** Stands in for metrics-server: says of pods and nodes what it was told, and counts how often it was asked. */
export class PodMetrics {
  readonly #pods = new Map<string, PodUsage>();
  readonly #nodes = new Map<string, Usage>();
  /** How many lists and single figures were asked for; the API server's own looks do not count. */
  requests = 0;

  set(namespace: string, pod: string, usage: PodUsage): void {
    this.#pods.set(`${namespace}/${pod}`, usage);
  }

  drop(namespace: string, pod: string): void {
    this.#pods.delete(`${namespace}/${pod}`);
  }

  setNode(node: string, usage: Usage): void {
    this.#nodes.set(node, usage);
  }

  /** Answers what the API server hands on to the group `metrics.k8s.io`. */
  answer(path: string, response: ServerResponse): void {
    if (path === root) return send(response, 200, resources);
    this.requests += 1;
    const found = path.startsWith(`${root}/nodes`) ? this.#nodesAt(path) : this.#podsAt(path);
    if (found !== undefined) return send(response, 200, found);
    send(response, 404, {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'NotFound',
      code: 404,
      message: `no metrics at ${path}`,
    });
  }

  #podsAt(path: string): unknown {
    const match = /\/(?:namespaces\/([^/]+)\/)?pods(?:\/([^/]+))?$/.exec(path);
    if (!match) return undefined;
    const [, namespace, name] = match;
    const items = [...this.#pods]
      .map(([key, usage]) => podMetrics(key, usage))
      .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
    if (name !== undefined) return items.find(({ metadata }) => metadata.name === name);
    return { kind: 'PodMetricsList', apiVersion: groupVersion, metadata: {}, items };
  }

  #nodesAt(path: string): unknown {
    const name = path.slice(`${root}/nodes/`.length);
    const items = [...this.#nodes].map(([node, usage]) => ({
      kind: 'NodeMetrics',
      apiVersion: groupVersion,
      metadata: { name: node },
      ...now(),
      usage: quantities(usage),
    }));
    if (name !== '') return items.find(({ metadata }) => metadata.name === name);
    return { kind: 'NodeMetricsList', apiVersion: groupVersion, metadata: {}, items };
  }
}

const resource = (name: string, kind: string, namespaced: boolean) => ({
  name,
  singularName: '',
  namespaced,
  kind,
  verbs: ['get', 'list'],
});

const resources = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: [resource('pods', 'PodMetrics', true), resource('nodes', 'NodeMetrics', false)],
};

function podMetrics(key: string, { beside, ...usage }: PodUsage) {
  const [namespace = '', name = ''] = key.split('/');
  return {
    kind: 'PodMetrics',
    apiVersion: groupVersion,
    metadata: { name, namespace },
    ...now(),
    containers: [
      ...(beside ? [{ name: 'beside', usage: quantities(beside) }] : []),
      { name: 'model', usage: quantities(usage) },
    ],
  };
}

const now = () => ({ timestamp: new Date().toISOString(), window });

/** As metrics-server writes them: CPU in nanocores, memory in KiB. */
const quantities = ({ cpuMillicores, memoryBytes }: Usage) => ({
  cpu: `${Math.round(cpuMillicores * 1e6)}n`,
  memory: `${Math.ceil(memoryBytes / 1024)}Ki`,
});

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
