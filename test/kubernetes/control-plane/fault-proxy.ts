import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as ask } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { refuse, sayTooOld } from './made-up-answers.js';
import { type Access, type ControlPlaneUser, writeKubeconfig } from './access.js';

/** A request that came to the proxy. */
export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  /** True for the long ones that follow changes. */
  readonly isWatch: boolean;
  readonly query: URLSearchParams;
  /** When it came, on the clock of `performance.now()`. */
  readonly atMs: number;
}

/** A way to the API server that can be broken. What goes past it is not touched by its faults. */
export interface FaultProxy {
  /** Every request since the start, answered or not. */
  readonly requests: readonly ProxiedRequest[];
  /** @returns the path of a kubeconfig file that leads through the proxy */
  kubeconfig(user: ControlPlaneUser): Promise<string>;
  /** Ends every open connection with RST, as a dead load balancer does. */
  reset(): void;
  /** Ends every open connection in order (FIN). */
  disconnect(): void;
  /** Answers every request of the next `forMs` with this status, and ends what is open. */
  fail(status: number, forMs: number): void;
  /** Says nothing more on any open or new connection; after `forMs` new ones work, the old ones stay silent. */
  stall(forMs: number): void;
  /** The next watch is told that its resource version is too old (410). */
  expireNextWatch(): void;
  /** The API server does what the next request of this method asks for, but its reply is lost. */
  loseNextReply(method: string): void;
  /** Ends every fault that is on. */
  pass(): void;
  stop(): Promise<void>;
}

type Fault = { readonly kind: 'fail'; readonly status: number } | { readonly kind: 'stall' };

const endToEnd = ({ headers }: IncomingMessage) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !['connection', 'host'].includes(name)));

/** Starts a proxy in front of the API server, with the same certificate. */
export async function startFaultProxy(
  target: string,
  certificateFile: string,
  access: Access,
): Promise<FaultProxy> {
  const certificate = readFileSync(certificateFile);
  const key = readFileSync(join(dirname(certificateFile), 'apiserver.key'));
  const proxy = new ProxyState(target, new Agent({ keepAlive: true, ca: certificate }));
  const server = createServer({ cert: certificate, key });
  server.on('connection', (socket: Socket) => proxy.connected(socket));
  server.on('request', (request, response) => proxy.answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    requests: proxy.requests,
    kubeconfig: (user) => writeKubeconfig(access, user, { name: new URL(url).port, url, certificateFile }),
    reset: () => proxy.endAll((socket) => socket.resetAndDestroy()),
    disconnect: () => proxy.endAll((socket) => socket.destroySoon()),
    fail: (status, forMs) => proxy.fail(status, forMs),
    stall: (forMs) => proxy.stall(forMs),
    expireNextWatch: () => (proxy.expiresNextWatch = true),
    loseNextReply: (method) => (proxy.losesReplyOf = method),
    pass: () => proxy.pass(),
    async stop() {
      server.close();
      proxy.endAll((socket) => socket.destroy());
      proxy.close();
      await once(server, 'close');
    },
  };
}

class ProxyState {
  readonly requests: ProxiedRequest[] = [];
  expiresNextWatch = false;
  losesReplyOf: string | null = null;
  readonly #sockets = new Set<Socket>();
  /** Ports of clients whose connections are half open: nothing ever comes back on them. */
  readonly #silent = new Set<number>();
  #fault: Fault | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly target: string,
    private readonly agent: Agent,
  ) {}

  connected(socket: Socket): void {
    const port = socket.remotePort ?? 0;
    this.#sockets.add(socket);
    if (this.#fault?.kind === 'stall') this.#silent.add(port);
    else this.#silent.delete(port);
    socket.once('close', () => this.#sockets.delete(socket));
    // Who is cut off here is cut off on purpose; a client that breaks off is its own affair.
    socket.on('error', () => socket.destroy());
  }

  endAll(end: (socket: Socket) => void): void {
    for (const socket of this.#sockets) end(socket);
  }

  fail(status: number, forMs: number): void {
    this.#setFault({ kind: 'fail', status }, forMs);
    this.endAll((socket) => socket.destroySoon());
  }

  stall(forMs: number): void {
    this.#setFault({ kind: 'stall' }, forMs);
    for (const { remotePort } of this.#sockets) this.#silent.add(remotePort ?? 0);
  }

  pass(): void {
    clearTimeout(this.#timer);
    this.#fault = null;
    this.expiresNextWatch = false;
    this.losesReplyOf = null;
  }

  close(): void {
    this.pass();
    this.agent.destroy();
  }

  #setFault(fault: Fault, forMs: number): void {
    clearTimeout(this.#timer);
    this.#fault = fault;
    this.#timer = setTimeout(() => (this.#fault = null), forMs);
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.target);
    const isWatch = ['true', '1'].includes(searchParams.get('watch') ?? '');
    const method = request.method ?? 'GET';
    this.requests.push({ method, path: pathname, isWatch, query: searchParams, atMs: performance.now() });
    if (this.#isSilent(request)) return;
    if (this.#fault?.kind === 'fail') return refuse(response, this.#fault.status);
    if (isWatch && this.expiresNextWatch) {
      this.expiresNextWatch = false;
      return sayTooOld(response);
    }
    const losesReply = this.losesReplyOf === method;
    if (losesReply) this.losesReplyOf = null;
    this.#forward(request, response, losesReply);
  }

  #isSilent({ socket }: IncomingMessage): boolean {
    return this.#silent.has(socket.remotePort ?? 0);
  }

  #forward(request: IncomingMessage, response: ServerResponse, losesReply: boolean): void {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const onward = ask(new URL(request.url ?? '/', this.target), {
      method: request.method ?? 'GET',
      headers: endToEnd(request),
      agent: this.agent,
      signal: gone.signal,
    });
    onward.on('error', () => response.destroy());
    onward.once('response', (answer) => {
      if (losesReply) {
        answer.resume().once('end', () => request.socket.destroy());
        return;
      }
      if (this.#isSilent(request)) return;
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer)).flushHeaders();
      // By hand and not through a pipe: a silent connection stays open when its other half ends.
      answer.on('data', (chunk) => void (this.#isSilent(request) || response.write(chunk)));
      answer.once('end', () => void (this.#isSilent(request) || response.end()));
      answer.on('error', () => void (this.#isSilent(request) || response.destroy()));
    });
    request.pipe(onward);
  }
}
