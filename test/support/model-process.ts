import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ModelCommands } from '../../hosts/local/model-commands.js';

/** Start commands of the models that come with the hub, and of those that misbehave. */
export const realModels = fileURLToPath(new URL('../../local/models/models.json', import.meta.url));
export const badModels = fileURLToPath(new URL('./bad-models/', import.meta.url));

export interface ModelProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** Time from spawning to the first answered health check, ms. */
  readonly readyAfterMs: number;
  /** Everything it wrote so far. */
  output(): string;
  /** POSTs rows as the hub does. */
  post(path: string, rows: unknown, signal?: AbortSignal): Promise<Response>;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>;
}

export interface ModelProcessOptions {
  readonly env?: Record<string, string>;
  /** False for servers that never become ready: then nobody waits. */
  readonly waitUntilReady?: boolean;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const ready = await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    await sleep(5);
  }
  throw new Error(`the model server ended with ${child.exitCode ?? child.signalCode} before it was ready`);
}

/** Starts a model's server as the local host does: its command from the file or folder, host and port by environment. */
export async function startModel(
  commands: string,
  modelId: string,
  options: ModelProcessOptions = {},
): Promise<ModelProcess> {
  const { command, env } = new ModelCommands(commands).get(modelId);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const began = performance.now();
  const child = spawn(command[0], command.slice(1), {
    env: { ...env, ...options.env, HOST: '127.0.0.1', PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => written.push(text));
  if (options.waitUntilReady ?? true) await waitUntilReady(url, child);
  return {
    url,
    process: child,
    readyAfterMs: performance.now() - began,
    output: () => written.join(''),
    post: (path, rows, signal = AbortSignal.timeout(25_000)) =>
      fetch(url + path, { method: 'POST', body: JSON.stringify(rows), redirect: 'manual', signal }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGTERM');
      return (await ended)[0];
    },
  };
}
