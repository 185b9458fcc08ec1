import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../local/ports.js';
import { type Access, type ControlPlaneUser, createAccess, writeKubeconfig } from './access.js';
import { type ApiClient, createApiClient } from './api-client.js';
import { type ControlPlaneParts, getControlPlaneParts } from './build-parts.js';
import { Cluster } from './cluster.js';
import { hubClusterRoleObjects, kwokConfiguration, metricsObjects } from './cluster-objects.js';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';
import { Kubelet } from './kubelet.js';
import { ModelServers } from './model-servers.js';
import { PodMetrics } from './pod-metrics.js';
import {
  apiServerArguments,
  etcdArguments,
  schedulerArguments,
  type ServerProcess,
  startServer,
  untilReady,
} from './server-processes.js';
import { type StoreChange, watchStore } from './store-watch.js';

const apiServerWithinMs = 60_000;
const othersWithinMs = 20_000;

/** How a control plane differs from the plain one. */
export interface ControlPlaneOptions {
  /**
   * Start commands of models by id, as the local host reads them (files or folders, with colons). With it pods whose
   * image is named after such a model run that model's server on their address and are ready when it answers.
   */
  readonly models?: string;
}

/** A real API server, scheduler and etcd with nodes and kubelets that are played. One for a spec file; nothing of it is kept. */
export interface ControlPlane {
  readonly apiServerUrl: string;
  /** Asks as the cluster's administrator, past any fault proxy. */
  readonly admin: ApiClient;
  readonly cluster: Cluster;
  readonly kubelet: Kubelet;
  readonly metrics: PodMetrics;
  /** @returns the path of a kubeconfig file */
  kubeconfig(user: ControlPlaneUser): Promise<string>;
  /** A way to the API server on which faults can be made. */
  proxy(): Promise<FaultProxy>;
  /** Every change of the namespace's pods as the store has it, also while the API server is away. Ends with the signal. */
  watchPodStore(
    namespace: string,
    onChange: (change: StoreChange) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** kill -9. */
  killApiServer(): Promise<void>;
  /** Starts it again on the same port, and waits until it is ready. */
  startApiServer(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a control plane in about three seconds; its programs come from the tools' cache or are built first. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const parts = await getControlPlaneParts(process.env, (line) => console.log(line));
  const folder = await mkdtemp(join(tmpdir(), 'hub-test-kubernetes-'));
  const metrics = new PodMetrics();
  const kubelet = await Kubelet.listen(metrics);
  const running = new RunningServers(parts, folder);
  const stops: (() => Promise<void>)[] = [
    () => rm(folder, { recursive: true, force: true }),
    () => running.kill(),
    () => kubelet.close(),
  ];
  const stop = async () => {
    for (const step of stops.splice(0).reverse()) await step();
  };
  try {
    const access = await createAccess(folder);
    await running.start(access, kubelet, options.models === undefined ? 'at once' : 'when served');
    const admin = createApiClient(running.apiServerUrl, access.tokenOf('admin'), running.certificateFile);
    const cluster = new Cluster(admin, kubelet);
    for (const [path, object] of [...metricsObjects(kubelet), ...hubClusterRoleObjects()])
      await admin.ask('POST', path, object);
    if (options.models !== undefined) {
      const servers = ModelServers.start(admin, kubelet, options.models);
      stops.push(() => servers.stop());
    }
    return {
      apiServerUrl: running.apiServerUrl,
      admin,
      cluster,
      kubelet,
      metrics,
      stop,
      kubeconfig: (user) => running.kubeconfig(access, user),
      async proxy() {
        const proxy = await startFaultProxy(running.apiServerUrl, running.certificateFile, access);
        stops.push(() => proxy.stop());
        return proxy;
      },
      watchPodStore: (namespace, onChange, signal) =>
        watchStore(running.storeUrl, `/registry/pods/${namespace}/`, onChange, signal),
      killApiServer: () => running.killApiServer(),
      startApiServer: () => running.startApiServer(),
    };
  } catch (cause) {
    await stop();
    throw new Error('the Kubernetes control plane for tests did not start', { cause });
  }
}

/** The four programs, and the order in which they need each other. */
class RunningServers {
  readonly #servers: ServerProcess[] = [];
  #apiServer: ServerProcess | undefined;
  #apiServerArguments: readonly string[] = [];
  #adminToken = '';
  apiServerUrl = '';
  storeUrl = '';
  readonly certificateFile: string;

  constructor(
    private readonly parts: ControlPlaneParts,
    private readonly folder: string,
  ) {
    this.certificateFile = join(folder, 'apiserver.crt');
  }

  async start(access: Access, kubelet: Kubelet, readiness: 'at once' | 'when served'): Promise<void> {
    const [client, peer, apiServer, kwokPort] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    this.apiServerUrl = `https://127.0.0.1:${apiServer}`;
    this.storeUrl = `http://127.0.0.1:${client}`;
    this.#adminToken = access.tokenOf('admin');
    this.#keep(startServer('etcd', this.parts.etcd, etcdArguments(this.folder, client, peer)));
    const ports = { etcd: client, apiServer };
    this.#apiServerArguments = await apiServerArguments(this.folder, ports, access.tokenFile);
    await this.startApiServer();
    kubelet.useCertificate(this.certificateFile, join(this.folder, 'apiserver.key'));
    const schedulerConfig = await this.kubeconfig(access, 'system:kube-scheduler');
    const scheduler = await schedulerArguments(this.folder, schedulerConfig);
    this.#keep(startServer('kube-scheduler', this.parts['kube-scheduler'], scheduler));
    const stages = join(this.folder, 'kwok.yaml');
    await writeFile(stages, kwokConfiguration(kubelet, kwokPort, readiness));
    const kwokConfig = await this.kubeconfig(access, 'kwok');
    const kwok = this.#keep(
      startServer('kwok', this.parts.kwok, [`--kubeconfig=${kwokConfig}`, `--config=${stages}`]),
    );
    const health = async () => (await fetch(`http://127.0.0.1:${kwokPort}/healthz`)).ok;
    await untilReady(kwok, health, othersWithinMs);
  }

  kubeconfig(access: Access, user: ControlPlaneUser): Promise<string> {
    const { apiServerUrl: url, certificateFile } = this;
    return writeKubeconfig(access, user, { name: 'control-plane', url, certificateFile });
  }

  async startApiServer(): Promise<void> {
    // A smaller heap for more collections: the machine is shared.
    const environment = { GOGC: '50' };
    const server = startServer(
      'kube-apiserver',
      this.parts['kube-apiserver'],
      this.#apiServerArguments,
      environment,
    );
    this.#apiServer = this.#keep(server);
    const look = async () => {
      const client = createApiClient(this.apiServerUrl, this.#adminToken, this.certificateFile);
      try {
        await client.ask('GET', '/readyz');
        return true;
      } finally {
        client.close();
      }
    };
    await untilReady(server, look, apiServerWithinMs);
  }

  async killApiServer(): Promise<void> {
    await this.#apiServer?.kill();
  }

  async kill(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
  }

  #keep(server: ServerProcess): ServerProcess {
    this.#servers.push(server);
    return server;
  }
}
