import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { startProcess } from '../../local/launch.js';
import { freePort } from '../../local/ports.js';
import {
  type TemporalServer,
  temporalLaunch,
  temporalNamespace,
  waitForTemporal,
} from '../../local/temporal-server.js';

export interface DevServer {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string;
  readonly pid: number;
  /** Kills it as a crash would and starts it again on the same ports and file. */
  crashAndRestart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the real development server with the product's settings, on free ports and with a file in a temporary folder.
 * @param longHistoryEvents from so many events on it suggests to a workflow to begin anew; its own default is 4,096
 */
export async function startDevServer({ longHistoryEvents = 4096 } = {}): Promise<DevServer> {
  const directory = await mkdtemp(join(tmpdir(), 'hub-test-temporal-'));
  const server: TemporalServer = {
    program: programOf('HUB_TEST_TEMPORAL'),
    directory,
    databaseFile: join(directory, 'temporal.db'),
    port: await freePort(),
    uiPort: await freePort(),
    httpPort: await freePort(),
  };
  let running = await startAndWait(server, longHistoryEvents);
  const kill = async () => {
    const over = once(running, 'exit');
    // Its file survives that, and a polite stop takes two seconds.
    if (running.exitCode === null && running.signalCode === null && running.kill('SIGKILL')) await over;
  };
  return {
    address: `127.0.0.1:${server.port}`,
    namespace: temporalNamespace,
    uiUrl: `http://127.0.0.1:${server.uiPort}`,
    get pid() {
      return running.pid ?? 0;
    },
    async crashAndRestart() {
      await kill();
      running = await startAndWait(server, longHistoryEvents);
    },
    async stop() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Starts the server that lets months of sleep pass in milliseconds. It has no schedules and no list of workflows. */
export async function startTimeSkipping(): Promise<TestWorkflowEnvironment> {
  const executable = { type: 'existing-path', path: programOf('HUB_TEST_TIME_SKIPPING') } as const;
  return TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
}

async function startAndWait(server: TemporalServer, longHistoryEvents: number) {
  const launch = temporalLaunch(server, 'OFF');
  const limit = `limit.historyCount.suggestContinueAsNew=${longHistoryEvents}`;
  const child = startProcess({ ...launch, args: [...launch.args, '--dynamic-config-value', limit] });
  let complaints = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => (complaints = (complaints + String(chunk)).slice(-2000)));
  }
  try {
    await waitForTemporal(server, AbortSignal.timeout(20_000));
  } catch (cause) {
    child.kill('SIGKILL');
    throw new Error(`the test's Temporal server did not start: ${complaints}`, { cause });
  }
  return child;
}

function programOf(variable: string): string {
  const path = process.env[variable];
  if (!path)
    throw new Error(`${variable} is not set: ${process.env.HUB_TEST_MISSING ?? 'start specs through jest'}`);
  return path;
}
