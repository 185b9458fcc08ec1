import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { endProcessesIn } from './end-processes-in.js';
import type { Launch } from './launch.js';
import {
  askPostgres,
  createCluster,
  type PostgresCluster,
  postgresLaunch,
  waitForPostgres,
} from './postgres.js';
import { repositoryRoot } from './repository.js';
import type { ChildPlan } from './supervised-child.js';
import type { HealthCheck } from './watch-health.js';
import { askTemporal, type TemporalServer, temporalLaunch, waitForTemporal } from './temporal-server.js';

/** A part is asked so often during the time for which it may be silent. */
const questionsInSilence = 9;

/** A health check that gives a part up after so many seconds without an answer. */
function healthCheck(silenceSeconds: number, ask: HealthCheck['ask']): HealthCheck {
  return {
    ask,
    everyMs: Math.round((silenceSeconds * 1000) / questionsInSilence),
    mostUnanswered: questionsInSilence,
  };
}

/** The hub's own Postgres. Its files are made at the first start. */
export function postgresChild(cluster: PostgresCluster, silenceSeconds: number): ChildPlan {
  return {
    name: 'postgres',
    stopSignal: 'SIGINT',
    isNoisyAtBothEnds: true,
    async prepare() {
      if (existsSync(cluster.dataDirectory)) await endProcessesIn(cluster.dataDirectory, 'postgres');
      await createCluster(cluster);
      return postgresLaunch(cluster);
    },
    waitUntilReady: (_child, signal) => waitForPostgres(cluster, signal),
    health: healthCheck(silenceSeconds, () => askPostgres(cluster)),
  };
}

/** The Temporal development server. A file that is gone is made anew; the hub starts again what was running. */
export function temporalChild(server: TemporalServer, silenceSeconds: number): ChildPlan {
  return {
    name: 'temporal',
    stopSignal: 'SIGTERM',
    isNoisyAtBothEnds: true,
    async prepare() {
      // It asks nobody for a password, so at least its files are ours alone.
      await mkdir(server.directory, { recursive: true, mode: 0o700 });
      await endProcessesIn(server.directory, kernelName(server.program));
      return temporalLaunch(server, 'FULL');
    },
    waitUntilReady: (_child, signal) => waitForTemporal(server, signal),
    health: healthCheck(silenceSeconds, (_child, signal) => askTemporal(server, signal)),
  };
}

/**
 * A node process of ours: it sends the message `ready` when it serves, answers `alive?` with `alive`, and stops when the
 * channel closes.
 * @param program path below `dist/`
 */
export function nodeChild(
  name: string,
  program: string,
  environment: Readonly<Record<string, string>>,
  silenceSeconds: number,
): ChildPlan {
  return {
    name,
    stopSignal: 'SIGTERM',
    async prepare() {
      return { ...nodeLaunch(program, environment), hasChannel: true };
    },
    waitUntilReady: waitForReadyMessage,
    health: healthCheck(silenceSeconds, askOverChannel),
  };
}

/**
 * On a machine with much memory node lets garbage of a busy process grow before it looks, for no more speed: the api
 * took 610 MB under load instead of 400, and the worker 603 MB instead of 415 for 5,000 rows of 2,048 values. The second
 * figure is no wish to stay below it: V8 lets a small old space grow by less than half before it collects, a large one
 * by three times.
 */
const thriftyMemory = ['--max-semi-space-size=8', '--max-old-space-size=512'];

/** How to start a compiled program of this repository, in the repository's folder. */
export function nodeLaunch(program: string, environment: Readonly<Record<string, string>>): Launch {
  const workingDirectory = repositoryRoot();
  return {
    command: process.execPath,
    args: [...thriftyMemory, join(workingDirectory, 'dist', program)],
    environment,
    workingDirectory,
    deathSignal: 'SIGKILL',
  };
}

async function waitForReadyMessage(child: ChildProcess, signal: AbortSignal): Promise<void> {
  for (;;) {
    const [message] = (await once(child, 'message', { signal }).catch(() => {
      throw new Error('it did not say that it is ready', { cause: signal.reason });
    })) as unknown[];
    if (message === 'ready') return;
  }
}

/** Does its event loop still turn? What else its answers depend on has a health check of its own. */
async function askOverChannel(child: ChildProcess, signal: AbortSignal): Promise<void> {
  const asked = new Promise<void>((resolve, reject) => {
    child.send('alive?', (error) => (error === null ? resolve() : reject(error)));
  });
  await Promise.all([asked, once(child, 'message', { signal })]);
}

/** The kernel keeps 15 characters of a program's name. */
function kernelName(program: string): string {
  return basename(program).slice(0, 15);
}
