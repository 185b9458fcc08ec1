import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants, getPriority, setPriority } from 'node:os';
import type { InstanceTermination } from '../model-host.js';
import type { InstanceLog } from './instance-log.js';
import type { ModelCommand } from './model-commands.js';
import { isGone } from './proc-files.js';
import { INSTANCE_UID_VARIABLE } from './process-tree.js';

/** Environment variable that names the host a process belongs to; finds what a killed host left behind. */
export const HOST_ID_VARIABLE = 'HUB_LOCAL_HOST';

/** Below the range from which the kernel takes ports for outgoing connections, so that none is taken by chance. */
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;
const PORT_ATTEMPTS = 50;
/** The exit code a shell and a cluster give for an ending by signal is this plus the signal's number. */
const SIGNAL_EXIT_BASE = 128;
/** Models take what the hub leaves of a busy machine: one that computes must not hold up the start of an API. */
const NICENESS = 5;
/** After a server ended, its last output is waited for this long (a stray process may hold the pipe open). */
const OUTPUT_GRACE_MS = 500;

export interface StartedProcess {
  readonly pid: number;
  /** Settles when the server itself ended, before its last output is in. */
  readonly exited: Promise<InstanceTermination>;
  /** Settles when the server ended and its last output is in the log. */
  readonly ended: Promise<InstanceTermination>;
}

/** Starts an instance's server in a session and a folder of its own, with nothing of this process's environment. */
export function startInstanceProcess(options: {
  readonly model: ModelCommand;
  readonly uid: string;
  readonly hostId: string;
  readonly port: number;
  readonly workFolder: string;
  readonly log: InstanceLog;
}): StartedProcess | { readonly startFailure: Promise<InstanceTermination> } {
  mkdirSync(options.workFolder, { recursive: true });
  const [program, ...parameters] = options.model.command;
  const child = spawn(program, parameters, {
    cwd: options.workFolder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...inherited('PATH', 'HOME', 'LANG'),
      ...options.model.env,
      HOST: '127.0.0.1',
      PORT: String(options.port),
      [INSTANCE_UID_VARIABLE]: options.uid,
      [HOST_ID_VARIABLE]: options.hostId,
    },
  });
  if (child.pid === undefined) return { startFailure: startFailureOf(child, program) };
  yieldToTheHub(child.pid);
  options.log.take(child.stdout);
  options.log.take(child.stderr);
  const exited = new Promise<InstanceTermination>((resolve) => {
    child.once('exit', (code, signal) => resolve(toTermination(code, signal)));
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ended = exited.then(async (termination) => {
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, OUTPUT_GRACE_MS))]);
    return termination;
  });
  return { pid: child.pid, exited, ended };
}

/** At once, since threads take the priority of the one that starts them. A process that ended already has none. */
function yieldToTheHub(pid: number): void {
  try {
    setPriority(pid, Math.min(getPriority() + NICENESS, constants.priority.PRIORITY_LOW));
  } catch (error) {
    if (!isGone((error as { info?: unknown }).info)) throw error;
  }
}

/** What a cluster says of an exit: its code (128 + signal), and `Completed` only for 0. */
function toTermination(code: number | null, signal: NodeJS.Signals | null): InstanceTermination {
  const exitCode = signal === null ? code : SIGNAL_EXIT_BASE + constants.signals[signal];
  return {
    exitCode,
    signal,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    message: null,
    finishedAt: new Date().toISOString(),
  };
}

/** A cluster's words for a command that can't be run at all. */
export function toStartFailure(message: string): InstanceTermination {
  return {
    exitCode: SIGNAL_EXIT_BASE,
    signal: null,
    reason: 'StartError',
    message,
    finishedAt: new Date().toISOString(),
  };
}

/** A port on loopback that nobody listens on and that is not in `taken`. */
export async function findFreePort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Error(
    `found no free port on 127.0.0.1 in ${FIRST_PORT} to ${LAST_PORT} after ${PORT_ATTEMPTS} attempts`,
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function inherited(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

function startFailureOf(child: ChildProcess, program: string): Promise<InstanceTermination> {
  return new Promise((resolve) => {
    child.once('error', (error) =>
      resolve(toStartFailure(`${program} could not be started: ${error.message}`)),
    );
  });
}
