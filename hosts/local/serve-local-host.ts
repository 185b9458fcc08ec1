import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { InstanceRefusedError } from '../model-host.js';
import type { InstanceBoard } from './instance-board.js';
import type { LocalInstances } from './local-instances.js';
import {
  BAD_CALL_STATUS,
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_LINE,
  instanceSpecSchema,
  logWindowSchema,
  REFUSED_STATUS,
} from './local-host.wire.js';

/** A reader that leaves so much unread is cut off; it connects again and is told everything anew. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;
const MAX_BODY_BYTES = 1024 * 1024;

export interface LocalHostParts {
  readonly board: InstanceBoard;
  readonly instances: LocalInstances;
  readonly largestNodeMemoryBytes: number;
  readonly warn: (text: string) => void;
}

type Call = {
  parts: LocalHostParts;
  url: URL;
  id: string;
  request: IncomingMessage;
  response: ServerResponse;
};

const routes: Readonly<Record<string, (call: Call) => void | Promise<void>>> = {
  'POST /instances': async ({ parts, request, response }) => {
    const spec = instanceSpecSchema.parse(JSON.parse(await readBody(request)));
    answer(response, 200, parts.instances.create(spec));
  },
  'DELETE /instances/*': ({ parts, id, url, response }) =>
    answer(response, 200, { deleted: parts.instances.delete(id, url.searchParams.get('uid') ?? '') }),
  'GET /instances/*/logs': ({ parts, id, url, response }) => {
    const text = parts.board.readLogs(id, logWindowSchema.parse(Object.fromEntries(url.searchParams)));
    answer(response, 200, { text });
  },
  'GET /instances/*/logs/follow': (call) => followLogs(call),
  'GET /instances/*/events': ({ parts, id, response }) => answer(response, 200, parts.board.readEvents(id)),
  'GET /usage': ({ parts, response }) => answer(response, 200, parts.instances.usage()),
  'GET /largest-node-memory': ({ parts, response }) => answer(response, 200, parts.largestNodeMemoryBytes),
  'GET /watch': ({ parts, response }) =>
    watch(response, (say) => parts.board.watch((event) => say(`${JSON.stringify(event)}\n`))),
  'GET /watch-events': ({ parts, response }) =>
    watch(response, (say) => parts.board.watchEvents((event) => say(`${JSON.stringify(event)}\n`))),
};

/**
 * Serves the local host's instances on a Unix socket, only to this user: calls as JSON, watches and logs as lines.
 * @throws Error when another process already serves on this socket
 */
export async function serveLocalHost(socketPath: string, parts: LocalHostParts): Promise<Server> {
  if (await isServed(socketPath)) {
    throw new Error(`another process serves on ${socketPath}: stop it, or choose another LOCAL_HOST_SOCKET`);
  }
  rmSync(socketPath, { force: true });
  const server = createServer((request, response) => void handle(parts, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  chmodSync(socketPath, 0o600);
  return server;
}

async function handle(
  parts: LocalHostParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://local-host');
  const [, noun = '', id, ...rest] = url.pathname.split('/');
  const route = `${request.method} ${['', noun, ...(id === undefined ? [] : ['*']), ...rest].join('/')}`;
  try {
    const serve = routes[route];
    if (serve) await serve({ parts, url, id: decodeURIComponent(id ?? ''), request, response });
    else answer(response, BAD_CALL_STATUS, { message: `the local host knows no call ${route}` });
  } catch (error) {
    answerFault(parts, route, response, error);
  }
}

function answerFault(parts: LocalHostParts, route: string, response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof InstanceRefusedError) answer(response, REFUSED_STATUS, { message });
  else if (isBadCall(error)) answer(response, BAD_CALL_STATUS, { message: `${route}: ${message}` });
  else {
    parts.warn(`${route} failed: ${error instanceof Error ? error.stack : message}`);
    // What streams has answered already: its reader must not take what it got for all there is.
    if (response.headersSent) response.destroy();
    else answer(response, 500, { message });
  }
}

function isBadCall(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof Error && error.name === 'ZodError');
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** @param begin starts telling through `say` and returns how to stop */
function watch(response: ServerResponse, begin: (say: (line: string) => void) => () => void): void {
  const say = startLines(response);
  const stop = begin(say);
  // At least one line at once, so that the reader knows that it is connected.
  say(HEARTBEAT_LINE);
  const heartbeat = setInterval(() => say(HEARTBEAT_LINE), HEARTBEAT_INTERVAL_MS);
  response.on('close', () => {
    clearInterval(heartbeat);
    stop();
  });
}

function followLogs({ parts, id, url, response }: Call): void {
  const options = logWindowSchema.parse(Object.fromEntries(url.searchParams));
  const say = startLines(response);
  const stop = parts.instances.followLogs(id, options, (line) => {
    if (line === null) response.end('null\n');
    else say(`${JSON.stringify(line)}\n`);
  });
  response.on('close', stop);
}

function startLines(response: ServerResponse): (line: string) => void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  return (line) => {
    if (response.destroyed || response.writableEnded) return;
    response.write(line);
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk as string;
    if (text.length > MAX_BODY_BYTES)
      throw new SyntaxError(`the call is larger than ${MAX_BODY_BYTES} characters`);
  }
  return text;
}

function isServed(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Absent, or left by a host that died: free to take.
    socket.once('error', () => resolve(false));
  });
}
