import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { PodMetrics } from './pod-metrics.js';
import { PodLog, readLogQuery } from './pod-log.js';
import { PortForwarding } from './port-forwarding.js';

export const kubeletPort = 10_250;
/** The second bytes of 127.x.0.0/16 that control planes of this machine share out among themselves. */
const firstRange = 10;
const lastRange = 250;

/**
 * What kwok leaves out of a kubelet: the logs of pods, and ways to their ports. Beside them, on the same port, the
 * metrics of pods and nodes.
 */
export class Kubelet {
  readonly #logs = new Map<string, { current: PodLog; previous: PodLog | null }>();
  readonly #refusals = new Map<string, { readonly status: number; readonly text: string }>();
  readonly #server: Server;
  readonly #forwarding = new PortForwarding();

  private constructor(
    server: Server,
    /** The loopback range that this control plane's pods have their addresses from, e.g. `127.10`. */
    readonly range: string,
    readonly metrics: PodMetrics,
  ) {
    this.#server = server;
    server.on('request', (request, response) => this.#answer(request, response));
    server.on('upgrade', (request, socket, head) => this.#forwarding.accept(request, socket, head));
  }

  /** Listens in the first loopback range that no other control plane of this machine has; holding it keeps others off. */
  static async listen(metrics: PodMetrics): Promise<Kubelet> {
    for (let second = firstRange; second <= lastRange; second += 1) {
      const server = createServer();
      server.listen(kubeletPort, `127.${second}.255.254`);
      try {
        await once(server, 'listening');
        return new Kubelet(server, `127.${second}`, metrics);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
    throw new Error('every loopback range is taken by a control plane: end those that nobody uses');
  }

  get address(): string {
    return `${this.range}.255.254`;
  }

  /** Shows this certificate from now on; before, nobody can connect. */
  useCertificate(certificateFile: string, keyFile: string): void {
    this.#server.setSecureContext({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) });
  }

  /** Replaces what the pod's container has written. */
  setLog(namespace: string, pod: string, lines: readonly string[], at?: string): void {
    this.beginLog(namespace, pod).append(lines, at);
  }

  appendLog(namespace: string, pod: string, lines: readonly string[], at?: string): void {
    (this.#logs.get(`${namespace}/${pod}`)?.current ?? this.beginLog(namespace, pod)).append(lines, at);
  }

  /** A new run of the container begins: what the last one wrote is its previous log. */
  beginLog(namespace: string, pod: string): PodLog {
    const key = `${namespace}/${pod}`;
    const previous = this.#logs.get(key)?.current ?? null;
    previous?.end();
    const current = new PodLog();
    this.#logs.set(key, { current, previous });
    return current;
  }

  /** Whoever asks for the pod's log is answered with this status and these words. */
  refuseLog(namespace: string, pod: string, status: number, text: string): void {
    this.#refusals.set(`${namespace}/${pod}`, { status, text });
  }

  /** The pod's containers listen on this address: its ports can be forwarded to. */
  setAddress(namespace: string, pod: string, address: string): void {
    this.#forwarding.setAddress(namespace, pod, address);
  }

  /** The pod is gone, and its log and the ways to it are. */
  dropLog(namespace: string, pod: string): void {
    this.#logs.get(`${namespace}/${pod}`)?.current.end();
    this.#logs.delete(`${namespace}/${pod}`);
    this.#forwarding.setAddress(namespace, pod, null);
  }

  async close(): Promise<void> {
    for (const { current } of this.#logs.values()) current.end();
    this.#forwarding.close();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://kubelet');
    if (pathname.startsWith('/apis/')) this.metrics.answer(pathname, response);
    else if (pathname.startsWith('/containerLogs/')) this.#answerLog(pathname, searchParams, response);
    else refuse(response, 404, `nothing at ${pathname}`);
  }

  #answerLog(pathname: string, query: URLSearchParams, response: ServerResponse): void {
    const [, , namespace, pod, container] = pathname.split('/');
    const refusal = this.#refusals.get(`${namespace}/${pod}`);
    if (refusal) return refuse(response, refusal.status, refusal.text);
    const logs = this.#logs.get(`${namespace}/${pod}`);
    const which = `container "${container}" in pod "${pod}"`;
    if (!logs) return refuse(response, 400, `${which} is waiting to start: ContainerCreating`);
    const log = query.get('previous') === 'true' ? logs.previous : logs.current;
    if (!log) return refuse(response, 400, `previous terminated ${which} not found`);
    void sendLog(log, query, response);
  }
}

async function sendLog(log: PodLog, query: URLSearchParams, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, { 'content-type': 'text/plain' }).flushHeaders();
  for await (const piece of log.read(readLogQuery(query), gone.signal)) response.write(piece);
  response.end();
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
}
