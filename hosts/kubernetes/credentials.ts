import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';

/** Connections are shared for so long; then new ones are made with what the kubeconfig says then: certificates expire. */
const CONNECTIONS_FRESH_MS = 60_000;

/** Where the API server is and how its calls are signed. */
export interface Credentials {
  readonly server: string;
  readonly config: KubeConfig;
  /** Headers and connections of the next call; tokens that expire are renewed here. */
  sign(url: string): Promise<{ readonly headers: Record<string, string>; readonly dispatcher?: Dispatcher }>;
  /** The next call makes a new connection: after one broke or fell silent, the others may be dead as well. */
  distrustConnections(): void;
}

/**
 * The credentials of the kubeconfig, of the pod the hub runs in, or of `~/.kube/config`, in this order.
 * @throws Error when there are none, or the context is not among them
 */
export function loadCredentials(from: {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}): Credentials {
  const config = new KubeConfig();
  if (from.kubeconfig) config.loadFromFile(from.kubeconfig);
  else config.loadFromDefault();
  if (from.context) {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(from.context)) {
      throw new Error(
        `the kubeconfig has no context ${from.context}: set KUBERNETES_CONTEXT to one of ${known.join(', ')}`,
      );
    }
    config.setCurrentContext(from.context);
  }
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    throw new Error('no cluster to run instances in: set KUBECONFIG to a kubeconfig with a current context');
  }
  const server = cluster.server.replace(/\/+$/, '');
  let shared: { readonly dispatcher: Dispatcher | undefined; readonly madeAt: number } | null = null;
  return {
    server,
    config,
    sign: async (url) => {
      const context = new RequestContext(url, HttpMethod.GET);
      await config.applySecurityAuthentication(context);
      if (shared === null || Date.now() - shared.madeAt > CONNECTIONS_FRESH_MS)
        shared = { dispatcher: context.getDispatcher(), madeAt: Date.now() };
      const { dispatcher } = shared;
      return { headers: context.getHeaders(), ...(dispatcher ? { dispatcher } : {}) };
    },
    distrustConnections: () => (shared = null),
  };
}
