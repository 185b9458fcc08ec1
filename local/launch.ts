import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { type SystemUser, userSwitch } from './system-user.js';

/** How to start one process. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory?: string;
  /** Runs as this user instead of our own. */
  readonly user?: SystemUser;
  /** Sent by the kernel when we die without stopping the process. */
  readonly deathSignal: 'SIGINT' | 'SIGTERM' | 'SIGKILL';
  /** Gives a node child a message channel, whose end it takes as the order to stop. */
  readonly hasChannel?: boolean;
}

let deathSignalsKnown: boolean | undefined;

/** Does this machine's `setpriv` (util-linux) know death signals? Busybox's does not, macOS has none. */
export function canSendDeathSignals(): boolean {
  deathSignalsKnown ??=
    spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true'], { stdio: 'ignore' }).status === 0;
  return deathSignalsKnown;
}

/**
 * Starts the process in a session of its own, so that Ctrl-C in the terminal reaches only the supervisor, which then
 * stops things in order. Its output comes through pipes.
 */
export function startProcess(launch: Launch): ChildProcess {
  const [command, ...args] = commandLine(launch);
  const switchesUserItself = launch.user?.capability === undefined;
  return spawn(command, args, {
    cwd: launch.workingDirectory,
    env: { ...process.env, ...launch.environment },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...(launch.hasChannel === true ? (['ipc'] as const) : [])],
    ...(launch.user && switchesUserItself && { uid: launch.user.uid, gid: launch.user.gid }),
  });
}

/**
 * The words to run. The death signal is set by the last program before the real one: a change of user after it would
 * clear it, so either node changes the user first or `setpriv` does both.
 */
function commandLine(launch: Launch): [string, ...string[]] {
  const wrapping = [
    ...(canSendDeathSignals() ? ['--pdeathsig', launch.deathSignal.slice('SIG'.length)] : []),
    ...(launch.user?.capability !== undefined ? userSwitch(launch.user, launch.user.capability) : []),
  ];
  return wrapping.length > 0
    ? ['setpriv', ...wrapping, launch.command, ...launch.args]
    : [launch.command, ...launch.args];
}
