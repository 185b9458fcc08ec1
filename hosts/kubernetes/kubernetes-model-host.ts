import type { HostListener, HostWatch, InstanceSpec, ModelHost, ObservedInstance } from '../model-host.js';
import { buildPod } from './build-pod.js';
import { ClusterApi, ClusterRefusal } from './cluster-api.js';
import { ClusterUsage } from './cluster-usage.js';
import { type Credentials, loadCredentials } from './credentials.js';
import { type HubIdentity, ownLabels } from './hub-labels.js';
import { explainRefusal, HubPods } from './hub-pods.js';
import type { KubernetesHostSettings } from './kubernetes-host.config.js';
import { createMetricsApi, type UsageSource } from './metrics-api.js';
import { observePod } from './observe-pod.js';
import { listPodEvents, readPodEvent, type SeenEvent } from './pod-events.js';
import { PodLogs } from './pod-logs.js';
import { podNameOf } from './pod-name.js';
import { PodTemplates } from './pod-templates.js';
import { PortForwards } from './port-forwards.js';
import { createPrometheus } from './prometheus.js';
import { Reflector } from './reflector.js';
import { readSeenPod, type SeenPod, tellInstances } from './watch-pods.js';

type Warn = (text: string) => void;

/** Instances as pods of one namespace, those that carry this hub's labels and no others. */
class KubernetesModelHost implements ModelHost {
  readonly kind = 'kubernetes';
  readonly #settings: KubernetesHostSettings;
  readonly #hub: HubIdentity;
  readonly #api: ClusterApi;
  readonly #pods: HubPods;
  readonly #templates: PodTemplates;
  readonly #logs: PodLogs;
  readonly #usage: ClusterUsage;
  readonly #forwards: PortForwards | null;
  readonly #warn: Warn;
  readonly #watches = new Set<HostWatch>();
  /** Instances as the newest watch told them: what usage is matched with. */
  #seen = new Map<string, ObservedInstance>();

  constructor(settings: KubernetesHostSettings, hubId: string, credentials: Credentials, warn: Warn) {
    this.#settings = settings;
    this.#hub = { name: settings.HUB_NAME, id: hubId };
    this.#warn = warn;
    this.#api = new ClusterApi(credentials);
    this.#pods = new HubPods({
      api: this.#api,
      hub: this.#hub,
      namespace: settings.MODELS_NAMESPACE,
      gracePeriodSeconds: settings.INSTANCE_GRACE_PERIOD_SECONDS,
      forceDeleteSeconds: settings.INSTANCE_FORCE_DELETE_SECONDS,
    });
    this.#templates = new PodTemplates(this.#api, settings.MODELS_NAMESPACE, warn);
    this.#logs = new PodLogs(this.#api, this.#pods.path);
    this.#usage = new ClusterUsage({
      api: this.#api,
      source: this.#usageSource(),
      largestNodeMebibytes: settings.LARGEST_NODE_MEMORY_MIB ?? null,
    });
    this.#forwards =
      settings.MODEL_SERVER_ACCESS === 'port-forward' ? new PortForwards(credentials, warn) : null;
  }

  async createInstance(spec: InstanceSpec): Promise<ObservedInstance> {
    const template = await this.#findTemplate(spec.templateVersion);
    const pod = buildPod(spec, template, {
      hub: this.#hub,
      namespace: this.#settings.MODELS_NAMESPACE,
      modelPort: this.#settings.MODEL_INTEGRATION_PORT,
      gracePeriodSeconds: this.#settings.INSTANCE_GRACE_PERIOD_SECONDS,
    });
    return observePod(await this.#pods.create(pod), this.#settings.MODEL_INTEGRATION_PORT);
  }

  watch(listener: HostListener): HostWatch {
    const tell = this.#forwards?.passOn(listener) ?? listener;
    const seen = new Map<string, ObservedInstance>();
    this.#seen = seen;
    return this.#keep(
      new Reflector<SeenPod>({
        api: this.#api,
        path: this.#pods.path,
        selector: { labelSelector: this.#selector },
        read: (object) => readSeenPod(object, this.#settings.MODEL_INTEGRATION_PORT),
        warn: this.#warn,
        listener: tellInstances(seen, tell),
      }),
    );
  }

  watchEvents(listener: Parameters<ModelHost['watchEvents']>[0]): HostWatch {
    const tell = ({ event }: SeenEvent) => {
      if (event) listener(event);
    };
    return this.#keep(
      new Reflector<SeenEvent>({
        api: this.#api,
        path: this.#eventsPath,
        selector: { fieldSelector: 'involvedObject.kind=Pod' },
        read: readPodEvent,
        warn: this.#warn,
        // The cluster forgets events after an hour: that one is gone says nothing.
        listener: { listed: (events) => events.forEach(tell), changed: tell, gone: () => undefined },
      }),
    );
  }

  async deleteInstance(instanceId: string, uid: string): Promise<{ readonly deleted: boolean }> {
    return { deleted: await this.#pods.delete(podNameOf(instanceId), uid) };
  }

  readLogs: ModelHost['readLogs'] = (instanceId, options = {}) =>
    this.#logs.read(podNameOf(instanceId), options);

  followLogs: ModelHost['followLogs'] = (instanceId, signal, options = {}) =>
    this.#logs.follow(podNameOf(instanceId), signal, options);

  listEvents: ModelHost['listEvents'] = (instanceId) =>
    listPodEvents(this.#api, this.#eventsPath, podNameOf(instanceId));

  readUsage: ModelHost['readUsage'] = () => this.#usage.read([...this.#seen.values()]);

  largestNodeMemoryBytes = () => this.#usage.largestNodeMemoryBytes();

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.close();
    await this.#forwards?.close();
  }

  get #selector(): string {
    return Object.entries(ownLabels(this.#hub))
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
  }

  get #eventsPath(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.#settings.MODELS_NAMESPACE)}/events`;
  }

  async #findTemplate(version: string) {
    try {
      return await this.#templates.find(version);
    } catch (error) {
      throw error instanceof ClusterRefusal ? explainRefusal(error) : error;
    }
  }

  #keep(watch: HostWatch): HostWatch {
    this.#watches.add(watch);
    return {
      get healthy() {
        return watch.healthy;
      },
      close: () => {
        this.#watches.delete(watch);
        watch.close();
      },
    };
  }

  #usageSource(): UsageSource | null {
    const { USAGE_SOURCE, PROMETHEUS_URL, MODELS_NAMESPACE } = this.#settings;
    if (USAGE_SOURCE === 'none') return null;
    if (USAGE_SOURCE === 'metrics-api') return createMetricsApi(this.#api, MODELS_NAMESPACE, this.#selector);
    if (!PROMETHEUS_URL) throw new Error('PROMETHEUS_URL is missing: USAGE_SOURCE=prometheus needs it');
    return createPrometheus(PROMETHEUS_URL, MODELS_NAMESPACE);
  }
}

/**
 * The host of the cluster that the settings name.
 * @param hubId tells this hub's pods from those of another hub with its name in the same namespace
 * @throws Error when there are no credentials for it
 */
export function createKubernetesModelHost(
  settings: KubernetesHostSettings,
  hubId: string,
  warn: Warn,
): ModelHost {
  const credentials = loadCredentials({
    kubeconfig: settings.KUBECONFIG,
    context: settings.KUBERNETES_CONTEXT,
  });
  return new KubernetesModelHost(settings, hubId, credentials, warn);
}
