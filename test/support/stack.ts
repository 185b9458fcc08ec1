import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../local/ports.js';
import { databaseUrl } from '../../local/postgres.js';
import { repositoryRoot } from '../../local/repository.js';
import { readStackRecord } from '../../local/stack-record.js';

export interface StackOptions {
  /** Kept at the end when given; else a temporary one that goes with the stack. */
  readonly dataDir?: string;
  readonly port?: number;
  /** Further variables, e.g. HUB_LOCAL_MODELS. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A whole hub, started as `npm start` starts it. */
export interface RunningStack {
  readonly url: string;
  readonly temporalAddress: string;
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly port: number;
  /** Null when the data directory had its admin already. */
  readonly adminPassword: string | null;
  /** Process of the supervisor. */
  readonly pid: number;
  /** Processes that run now, by name: postgres, temporal, local-host, worker, api. */
  readonly processes: Readonly<Record<string, number>>;
  /** Everything it printed so far. */
  readonly output: string;
  /** Stops it as Ctrl-C does and gives its exit code. */
  stop(): Promise<number | null>;
}

const readyMs = 60_000;
/** Said last: what a start says may come in pieces, the first password among them. */
const lastLineOfStart = 'Ctrl-C stops everything.';

/**
 * Starts the real program in a data directory of its own, on a free port.
 * @throws Error with what it printed when it does not come up.
 */
export async function startStack(options: StackOptions = {}): Promise<RunningStack> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'hub-test-stack-')));
  const port = options.port ?? (await freePort());
  const program = startProgram({ ...options, dataDir, port });
  await waitUntilReady(program);
  const record = readStackRecord(dataDir);
  const { postgres = 0, temporal = 0 } = record.ports;
  return {
    url: `http://127.0.0.1:${port}`,
    temporalAddress: `127.0.0.1:${temporal}`,
    databaseUrl: databaseUrl({ port: postgres, password: record.postgresPassword }, 'hub'),
    dataDir,
    port,
    adminPassword: /password (\S+) \(shown only now\)/.exec(program.output())?.[1] ?? null,
    pid: program.process.pid ?? 0,
    get processes() {
      return existsSync(join(dataDir, 'stack.json')) ? readStackRecord(dataDir).processes : {};
    },
    get output() {
      return program.output();
    },
    async stop() {
      const code = await endProgram(program.process);
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      return code;
    },
  };
}

/** The program as it was started, whether or not it comes up. */
export interface StartedProgram {
  readonly process: ChildProcess;
  output(): string;
}

/** Runs a program of the local stack as a user's shell would, with the parts that this test run has. */
export function spawnProgram(
  path: string,
  environment: Readonly<Record<string, string>>,
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [path], {
    cwd: repositoryRoot(),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      npm_lifecycle_event: undefined,
      TEMPORAL_CLI: process.env.HUB_TEST_TEMPORAL ?? process.env.TEMPORAL_CLI,
      ...environment,
    },
  });
}

/** Runs `dist/local/start.main.js` and collects what it prints. */
export function startProgram(
  options: StackOptions & { readonly dataDir: string; readonly port: number },
): StartedProgram {
  const child = spawnProgram('dist/local/start.main.js', {
    HUB_DATA_DIR: options.dataDir,
    PORT: String(options.port),
    ...options.environment,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return { process: child, output: () => output };
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

async function waitUntilReady(program: StartedProgram): Promise<void> {
  const deadline = performance.now() + readyMs;
  while (!program.output().includes(lastLineOfStart)) {
    if (hasEnded(program.process)) throw new Error(`the stack did not start:\n${program.output()}`);
    if (performance.now() > deadline) {
      await endProgram(program.process);
      throw new Error(`the stack was not ready after ${readyMs} ms:\n${program.output()}`);
    }
    await sleep(20);
  }
}

async function endProgram(child: ChildProcess): Promise<number | null> {
  if (!hasEnded(child)) {
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  }
  return child.exitCode;
}
