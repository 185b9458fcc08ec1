import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { HttpMethod, KubeConfig, loadYaml, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { z } from 'zod';

/** Connections are shared for so long; then new ones are made with what the kubeconfig says then: certificates expire. */
const CONNECTIONS_FRESH_MS = 60_000;

/** Credentials that stay refused are read anew, and programs that give them out run anew, no more often than this. */
const READ_ANEW_AFTER_MS = 5_000;

/** A program that gives out credentials and has not answered for so long is left alone, and run anew. */
const ASK_AGAIN_AFTER_MS = 60_000;

/** Where the API server is and how its calls are signed. */
export interface Credentials {
  readonly server: string;
  /** As it was read last. */
  readonly config: KubeConfig;
  /** Headers and connections of the next call; tokens that expire are renewed here. */
  sign(url: string): Promise<{ readonly headers: Record<string, string>; readonly dispatcher?: Dispatcher }>;
  /** The next call makes a new connection: after one broke or fell silent, the others may be dead as well. */
  distrustConnections(): void;
  /** The server knows these no more (401): the next call reads them anew, for they may have been renewed where they lie. */
  distrustCredentials(): void;
}

/** Where credentials may lie. */
export interface CredentialPlaces {
  /** Path of a kubeconfig, or of several with colons between them. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** The user's folder; by default that of this process. */
  readonly home?: string;
  /** Before the paths of the files that a pod has of its account; for tests. */
  readonly root?: string;
}

/**
 * The credentials of the kubeconfig, of the pod the hub runs in, or of `~/.kube/config`, in this order.
 * @throws Error when there are none, or the context is not among them
 */
export function loadCredentials(from: CredentialPlaces): Credentials {
  return new FoundCredentials(from);
}

class FoundCredentials implements Credentials {
  readonly server: string;
  readonly #from: CredentialPlaces;
  #config: KubeConfig;
  #readAt = Date.now();
  #isRefused = false;
  #shared: { readonly dispatcher: Dispatcher | undefined; readonly madeAt: number } | null = null;
  #asked: { readonly answer: Promise<RequestContext>; readonly at: number } | null = null;

  constructor(from: CredentialPlaces) {
    this.#config = readConfigOf(from);
    this.server = serverOf(this.#config);
    // Whoever chooses another context meanwhile means another program: the hub stays where its instances are.
    this.#from = { ...from, context: this.#config.getCurrentContext() };
  }

  get config(): KubeConfig {
    return this.#config;
  }

  async sign(url: string): ReturnType<Credentials['sign']> {
    if (this.#isRefused && Date.now() - this.#readAt > READ_ANEW_AFTER_MS) this.#readAnew();
    const context = await this.#ask(url);
    if (this.#shared === null || Date.now() - this.#shared.madeAt > CONNECTIONS_FRESH_MS)
      this.#shared = { dispatcher: context.getDispatcher(), madeAt: Date.now() };
    const { dispatcher } = this.#shared;
    return { headers: context.getHeaders(), ...(dispatcher ? { dispatcher } : {}) };
  }

  distrustConnections(): void {
    this.#shared = null;
  }

  distrustCredentials(): void {
    this.#isRefused = true;
  }

  #readAnew(): void {
    this.#config = readConfigOf(this.#from);
    this.#readAt = Date.now();
    this.#isRefused = false;
    this.#shared = null;
    this.#asked = null;
  }

  /** All who ask meanwhile get the same answer: a program that waits for its user is not started again for each call. */
  #ask(url: string): Promise<RequestContext> {
    if (this.#asked && Date.now() - this.#asked.at < ASK_AGAIN_AFTER_MS) return this.#asked.answer;
    const context = new RequestContext(url, HttpMethod.GET);
    const answer = this.#config.applySecurityAuthentication(context).then(() => context);
    const asked = { answer, at: Date.now() };
    const end = () => {
      if (this.#asked === asked) this.#asked = null;
    };
    answer.then(end, end);
    this.#asked = asked;
    return answer;
  }
}

function readConfigOf(from: CredentialPlaces): KubeConfig {
  const config = findConfig(from);
  if (from.context) {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(from.context)) {
      throw new Error(
        `the kubeconfig has no context ${from.context}: set KUBERNETES_CONTEXT to one of ${known.join(', ')}`,
      );
    }
    config.setCurrentContext(from.context);
  }
  return config;
}

function serverOf(config: KubeConfig): string {
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    throw new Error('the kubeconfig has no current context: set KUBERNETES_CONTEXT to one of its contexts');
  }
  return cluster.server.replace(/\/+$/, '');
}

const ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** The client library would fall back to port 8080 of this machine, which may be the hub's own. */
function findConfig({ kubeconfig, home = homedir(), root = '' }: CredentialPlaces): KubeConfig {
  if (kubeconfig) return readConfigs(kubeconfig.split(delimiter).filter(Boolean));
  if (existsSync(root + ACCOUNT_TOKEN)) {
    const config = new KubeConfig();
    config.loadFromCluster(root);
    return config;
  }
  const ofUser = join(home, '.kube', 'config');
  if (existsSync(ofUser)) return readConfigs([ofUser]);
  throw new Error(
    `no cluster to run instances in: KUBECONFIG is not set, this is no pod, and there is no ${ofUser}; set KUBECONFIG to the path of a kubeconfig`,
  );
}

/** The first says which context is current; a name that two of them give is refused. */
function readConfigs(paths: readonly string[]): KubeConfig {
  const [first, ...others] = paths.map(readConfig);
  if (!first) throw new Error('KUBECONFIG names no file: set it to the path of a kubeconfig');
  for (const other of others) first.mergeConfig(other, true);
  return first;
}

function readConfig(path: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
    followTokenFiles(config, path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the kubeconfig ${path} can't be read (${why}): set KUBECONFIG to a kubeconfig`, {
      cause,
    });
  }
  return config;
}

const tokenFiles = z.object({
  users: z.array(
    z.object({ name: z.string(), user: z.object({ tokenFile: z.string().optional() }).nullish() }),
  ),
});

/** The client library passes over the `tokenFile` of a user, whose token is renewed by writing it there. */
function followTokenFiles(config: KubeConfig, path: string): void {
  const { users } = tokenFiles.catch({ users: [] }).parse(loadYaml(readFileSync(path, 'utf8')));
  const files = new Map(users.map(({ name, user }) => [name, user?.tokenFile]));
  config.users = config.users.map((user) => {
    const tokenFile = files.get(user.name);
    if (!tokenFile) return user;
    const { token: _, ...others } = user;
    return {
      ...others,
      authProvider: { name: 'tokenFile', config: { tokenFile: resolve(dirname(path), tokenFile) } },
    };
  });
}
