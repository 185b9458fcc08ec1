import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryRoot } from '../../local/repository.js';

/** A call the stub answered, for a spec to look at. */
export interface StubCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface StubAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** A string as it is, anything else as JSON; a function writes the answer itself and may leave it open. */
  readonly body?: unknown;
}

export type StubRoute = StubAnswer | ((call: StubCall) => StubAnswer | Promise<StubAnswer>);

const webFolder = join(repositoryRoot(), 'dist/web');
const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.map': 'application/json',
};
const fixturePage = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Fixture</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>:root{color-scheme:light dark}</style>
<script type="module" src="/elements.js"></script></head><body><main></main></body></html>`;

/**
 * Speaks the hub's wire types over real HTTP so that an element can be brought into states that a real hub shows only
 * by luck: loading for ever, forbidden, a stream that breaks. It serves the built page and elements, and `/fixture`, an
 * empty page that has the elements. Calls from other origins are allowed as the hub allows them: without credentials.
 */
export class StubHub {
  readonly calls: StubCall[] = [];
  private readonly routes = new Map<string, StubRoute>();
  private readonly streams = new Set<ServerResponse>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<StubHub> {
    const server = createServer();
    const hub = new StubHub(server);
    server.on('request', (request, response) => {
      void hub.answer(request, response).catch((error: unknown) => {
        // A page that gives up a call, or is closed, in the middle of what it sends is no fault.
        if (error !== request.errored) throw error;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return hub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** @param route e.g. `GET /api/models`; the query is not part of it. */
  on(route: string, answer: StubRoute): this {
    this.routes.set(route, answer);
    return this;
  }

  /** Makes a route an event stream; what is sent goes to whoever is connected. */
  stream(path: string): this {
    return this.on(`GET ${path}`, {
      headers: { 'content-type': 'text/event-stream' },
      body: (response: ServerResponse) => {
        this.streams.add(response);
        response.flushHeaders();
        response.on('close', () => this.streams.delete(response));
      },
    });
  }

  /** Waits until so many streams are open. */
  async untilConnected(count = 1): Promise<void> {
    for (const giveUpAt = Date.now() + 8000; this.streams.size !== count; await sleep(10))
      if (Date.now() > giveUpAt) throw new Error(`${this.streams.size} streams are open, not ${count}`);
  }

  /** Sends one event to all streams. */
  send(type: string, data: unknown, id: number): void {
    for (const stream of this.streams)
      stream.write(`event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Breaks all streams, as a proxy that was restarted does. */
  breakStreams(): void {
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
  }

  callsOf(route: string): StubCall[] {
    return this.calls.filter(({ method, path }) => `${method} ${path}` === route);
  }

  /** Forgets routes and calls, for the next test. */
  reset(): void {
    this.breakStreams();
    this.routes.clear();
    this.calls.length = 0;
  }

  async close(): Promise<void> {
    this.breakStreams();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', 'authorization, content-type, last-event-id');
    response.setHeader('access-control-allow-methods', 'GET, POST');
    response.setHeader('access-control-expose-headers', 'content-disposition, retry-after');
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const call: StubCall = {
      method: request.method ?? 'GET',
      path: pathname,
      query: searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    if (!pathname.startsWith('/api/')) return serveFile(pathname, response);
    this.calls.push(call);
    const route = this.routes.get(`${call.method} ${call.path}`);
    const answer = typeof route === 'function' ? await route(call) : route;
    write(
      response,
      answer ?? { status: 404, body: { detail: `The stub has no ${call.method} ${call.path}` } },
    );
  }
}

function write(response: ServerResponse, { status = 200, headers = {}, body = {} }: StubAnswer): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers });
  if (typeof body === 'function') (body as (response: ServerResponse) => void)(response);
  else response.end(isText ? body : JSON.stringify(body));
}

async function serveFile(path: string, response: ServerResponse): Promise<void> {
  if (path === '/fixture')
    return void response.writeHead(200, { 'content-type': mediaTypes['.html'] }).end(fixturePage);
  const file = extname(path) === '' ? '/index.html' : path;
  try {
    const content = await readFile(join(webFolder, file));
    response.writeHead(200, { 'content-type': mediaTypes[extname(file)] ?? 'application/octet-stream' });
    response.end(content);
  } catch {
    response.writeHead(404).end(`no file ${file} in the built page; run npm run build`);
  }
}
