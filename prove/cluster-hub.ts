import { join } from 'node:path';
import type { HubIdentity } from '../hosts/kubernetes/hub-labels.js';
import { repositoryRoot } from '../local/repository.js';
import { type ControlPlane, startControlPlane } from '../test/kubernetes/control-plane/control-plane.js';
import { podPath } from '../test/kubernetes/control-plane/cluster.js';
import type { ControlPlaneUser } from '../test/kubernetes/control-plane/access.js';
import { type ProofHost, type ProofHub, type ProofHubOptions, startProofHub } from './proof-hub.js';
import { PodWatch } from './pod-watch.js';

const gibibyte = 2 ** 30;
const nodes = ['node-1', 'node-2'];
/** Model servers may not need rights for a port below 1024. */
const modelPort = '8080';

/** A hub whose instances are pods of a real control plane, with real model servers on their addresses. */
export interface ClusterHub extends ProofHub {
  readonly plane: ControlPlane;
  readonly namespace: string;
  /** Whose labels the pods of this hub carry. */
  readonly identity: HubIdentity;
  /** Every pod that was seen since the hub started. */
  readonly pods: PodWatch;
  /** Variables by which a further process of the hub finds everything that those of its stack find. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ClusterHubOptions extends Omit<ProofHubOptions, 'startHost'> {
  /** As whom the hub asks the API server; `hub` has exactly the permissions that are deployed. */
  readonly user?: ControlPlaneUser;
}

/** Starts a control plane of two nodes and a hub as `MODEL_HOST=kubernetes npm start` does. */
export async function startClusterHub(options: ClusterHubOptions): Promise<ClusterHub> {
  let cluster: StartedCluster | undefined;
  const hub = await startProofHub({
    ...options,
    startHost: async (modelCommands) => {
      cluster = await startCluster(modelCommands, options.user ?? 'hub');
      return cluster.host;
    },
  });
  const { plane, namespace, pods, host } = cluster!;
  const { databaseUrl, temporalAddress, dataDir } = hub.stack;
  const environment = {
    ...options.environment,
    ...host.environment,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    HUB_DATA_DIR: dataDir,
  };
  const [row] = await hub.rows<{ id: string }>(`select id from hub_identity`);
  return { ...hub, plane, namespace, identity: { name: 'model-hub', id: row!.id }, pods, environment };
}

interface StartedCluster extends Pick<ClusterHub, 'plane' | 'namespace' | 'pods'> {
  readonly host: ProofHost;
}

async function startCluster(modelCommands: string, user: ControlPlaneUser): Promise<StartedCluster> {
  const shipped = join(repositoryRoot(), 'local', 'models', 'models.json');
  const plane = await startControlPlane({ models: `${shipped}:${modelCommands}` });
  try {
    const namespace = await plane.cluster.createNamespace();
    for (const name of nodes)
      await plane.cluster.addNode({ name, cpuMillicores: 8000, memoryBytes: 16 * gibibyte });
    await plane.cluster.untilMetrics();
    const pods = PodWatch.start(plane.admin);
    const environment = {
      MODEL_HOST: 'kubernetes',
      KUBECONFIG: await plane.kubeconfig(user),
      MODELS_NAMESPACE: namespace,
      MODEL_INTEGRATION_PORT: modelPort,
    };
    const stop = async () => {
      await pods.stop();
      await plane.stop();
    };
    const servers = async () => pods.present(namespace).map(({ name }) => name);
    return { plane, namespace, pods, host: { environment, servers, stop } };
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

/** Deletes pods as the administrator, at once. */
export async function removePods({ plane, pods }: ClusterHub, uids: ReadonlySet<string>): Promise<void> {
  for (const { uid, namespace, name, goneAtMs } of pods.all) {
    if (!uids.has(uid) || goneAtMs !== null) continue;
    await plane.admin.ask('DELETE', podPath(namespace, name), { gracePeriodSeconds: 0 });
  }
}
