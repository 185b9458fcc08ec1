import { setTimeout as sleep } from 'node:timers/promises';
import { ModelCommands } from '../../../hosts/local/model-commands.js';
import { InstanceRefusedError } from '../../../hosts/model-host.js';
import { type ApiClient, ApiError, mergePatch } from './api-client.js';
import { type PodObject, podPath } from './cluster.js';
import { followPods, isUnreachable } from './follow-pods.js';
import type { Kubelet } from './kubelet.js';
import { ModelServer } from './model-server-process.js';

const tryAgainMs = 250;

/** What we know of a pod on one of our nodes. */
interface KnownPod {
  server: ModelServer | null;
  /** The run of the container that was already seen to, whether it has a server or not. */
  containerId: string | null;
  /** True while the pod's fault is that its server ended by itself; it is taken back before the next run. */
  died: boolean;
}

/**
 * What a kubelet does with a pod's image: runs the model's real server on the pod's address while its container runs,
 * says when it is ready, and that it ended. kwok turns what we say (annotations) into the pod's state.
 */
export class ModelServers {
  readonly #pods = new Map<string, KnownPod>();
  readonly #stopping = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  private constructor(
    private readonly admin: ApiClient,
    private readonly kubelet: Kubelet,
    private readonly commands: ModelCommands,
  ) {}

  /** @param models start commands by model id, as the local host reads them */
  static start(admin: ApiClient, kubelet: Kubelet, models: string): ModelServers {
    const servers = new ModelServers(admin, kubelet, new ModelCommands(models));
    servers.#watching = servers.#follow();
    return servers;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
    for (const { server } of this.#pods.values()) server?.kill();
  }

  #follow(): Promise<void> {
    const listener = {
      see: (pod: PodObject) => this.#see(pod),
      end: (pod: PodObject) => this.#end(pod),
      present: (uids: ReadonlySet<string>) => {
        for (const uid of this.#pods.keys()) if (!uids.has(uid)) this.#forget(uid);
      },
    };
    return followPods(this.admin, listener, { signal: this.#stopping.signal, tryAgainMs });
  }

  #end({ metadata: { uid, namespace, name } }: PodObject): void {
    this.#forget(uid);
    this.kubelet.dropLog(namespace, name);
    this.kubelet.metrics.drop(namespace, name);
  }

  #forget(uid: string): void {
    this.#pods.get(uid)?.server?.kill();
    this.#pods.delete(uid);
  }

  #see(pod: PodObject): void {
    const known = this.#pods.get(pod.metadata.uid) ?? { server: null, containerId: null, died: false };
    this.#pods.set(pod.metadata.uid, known);
    const [container] = pod.status.containerStatuses ?? [];
    const wanted = container?.state.running ? (container.containerID ?? null) : null;
    if (pod.metadata.deletionTimestamp) known.server?.stop();
    else if (wanted !== known.containerId) this.#switchRun(pod, known, wanted);
  }

  /** The container began to run, or stopped. */
  #switchRun(pod: PodObject, known: KnownPod, containerId: string | null): void {
    known.server?.kill();
    known.server = null;
    known.containerId = containerId;
    if (containerId !== null) return this.#run(pod, known);
    const taken: Readonly<Record<string, null>> = known.died ? { fault: null, 'exit-code': null } : {};
    known.died = false;
    void this.#annotate(pod, { served: null, ...taken });
  }

  #run(pod: PodObject, known: KnownPod): void {
    const { namespace, name } = pod.metadata;
    const command = this.#commandOf(pod);
    if (command === null) return void this.#annotate(pod, { served: 'none' });
    const server = ModelServer.start(pod, command, this.kubelet.beginLog(namespace, name));
    this.kubelet.setAddress(namespace, name, pod.status.podIP ?? '');
    known.server = server;
    void server.healthy.then((healthy) => {
      if (healthy && known.server === server) void this.#annotate(pod, { served: 'healthy' });
    });
    void server.ended.then((exitCode) => {
      if (known.server !== server || server.isStopping) return;
      known.died = true;
      void this.#annotate(pod, { fault: 'crash', 'exit-code': String(exitCode), served: null });
    });
    server.measure((usage) => this.kubelet.metrics.set(namespace, name, usage));
  }

  /** The start command of the model that the image is named after: `ersiliaos/eos3b5e:v1` is `eos3b5e`. */
  #commandOf(pod: PodObject) {
    const [image = ''] = pod.spec.containers.map((container) => container.image);
    const modelId = (image.split('/').at(-1) ?? '').split(/[:@]/)[0] ?? '';
    try {
      return this.commands.get(modelId);
    } catch (error) {
      if (error instanceof InstanceRefusedError) return null;
      throw error;
    }
  }

  /** Says something of a pod, again and again while the API server is away; of a pod that is gone nothing need be said. */
  async #annotate(pod: PodObject, values: Readonly<Record<string, string | null>>): Promise<void> {
    const annotations = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [`sim.test/${name}`, value]),
    );
    const { namespace, name, uid } = pod.metadata;
    while (!this.#stopping.signal.aborted && this.#pods.has(uid)) {
      try {
        const patch = { metadata: { uid, annotations } };
        await this.admin.ask('PATCH', podPath(namespace, name), patch, mergePatch);
        return;
      } catch (error) {
        // Another pod of that name (409), or none.
        if (error instanceof ApiError && [404, 409].includes(error.code)) return;
        if (!isUnreachable(error)) throw error;
      }
      await sleep(tryAgainMs);
    }
  }
}
