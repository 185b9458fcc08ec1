import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLocalModelHost } from '../../hosts/local/local-model-host.js';
import type { InstanceSpec, InstanceUsage, ModelHost, ObservedInstance } from '../../hosts/model-host.js';
import { waitUntil } from '../support/wait-until.js';

const MEBIBYTE = 1024 * 1024;
const READY_TIMEOUT_MS = 10_000;
const hostProgram = resolve('dist/hosts/local/host.main.js');
const fixture = resolve('test/hosts/fixtures/fixture-model.mjs');

/** A local host process of a test's own, with a fresh data folder and the fixture model in several moods. */
export interface LocalTestHost {
  readonly folder: string;
  readonly socketPath: string;
  readonly commandFile: string;
  readonly client: ModelHost;
  pid(): number;
  /** What the host process wrote to its standard error. */
  output(): string;
  spec(model: string, sizes?: Partial<InstanceSpec>): InstanceSpec;
  /** The use of an instance as of a look that the host took after this time: it knows all its processes of then. */
  usageSince(instance: ObservedInstance, atMs: number): Promise<InstanceUsage>;
  /** Ends the host process and waits for its end; `start` brings another up on the same data. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  start(): Promise<void>;
  close(): Promise<void>;
}

let count = 0;

export async function startLocalTestHost(settings: Record<string, string> = {}): Promise<LocalTestHost> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-host-'));
  const socketPath = join(folder, 'host.sock');
  const commandFile = join(folder, 'commands.json');
  const moods = ['serves', 'never-ready', 'crashes', 'ignores-sigterm'];
  const commands = moods.map((mood) => [
    mood,
    { command: ['node', fixture], env: { FIXTURE_BEHAVIOUR: mood } },
  ]);
  await writeFile(commandFile, JSON.stringify(Object.fromEntries(commands)));
  const client = createLocalModelHost({ socketPath });
  let output = '';
  let child: ChildProcess | null = null;
  const start = async () => {
    child = spawn(process.execPath, [hostProgram], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: 'postgres://not-for-models',
        TEMPORAL_ADDRESS: 'not-for-models',
        HUB_DATA_DIR: folder,
        LOCAL_HOST_SOCKET: socketPath,
        LOCAL_MODEL_COMMANDS: commandFile,
        ...settings,
      },
    });
    child.stderr?.on('data', (text) => (output += String(text)));
    await saysReady(child, () => output);
  };
  const end = (signal: NodeJS.Signals) =>
    new Promise<number | null>((settle) => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return settle(null);
      child.once('exit', settle);
      child.kill(signal);
    });
  await start();
  return {
    folder,
    socketPath,
    commandFile,
    client,
    pid: () => child?.pid ?? 0,
    output: () => output,
    spec: (model, sizes) => ({ ...specOf(model), ...sizes }),
    usageSince: (instance, atMs) => usageSince(client, instance, atMs),
    end,
    start,
    close: async () => {
      await client.close();
      await end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function specOf(modelId: string): InstanceSpec {
  count += 1;
  return {
    instanceId: `${modelId}-${process.pid}-${count}`,
    modelId,
    image: 'example/fixture:1',
    templateVersion: '0.0.0',
    cpuRequestMillicores: 100,
    cpuLimitMillicores: 1000,
    memoryRequestBytes: 128 * MEBIBYTE,
    memoryLimitBytes: 256 * MEBIBYTE,
    labels: {},
    annotations: {},
  };
}

function usageSince(client: ModelHost, { uid }: ObservedInstance, atMs: number): Promise<InstanceUsage> {
  const look = async () =>
    (await client.readUsage()).instances.find((one) => one.uid === uid && Date.parse(one.sampledAt) > atMs);
  return waitUntil('the host to look at its instance', look, { withinMs: 10_000, everyMs: 50 });
}

function saysReady(child: ChildProcess, output: () => string): Promise<void> {
  return new Promise((settle, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the local host was not ready: ${output()}`)),
      READY_TIMEOUT_MS,
    );
    child.once('message', () => {
      clearTimeout(timer);
      settle();
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      reject(new Error(`the local host ended with ${code}: ${output()}`));
    });
  });
}

/** Asks the fixture model of an instance for facts or a deed. */
export async function askFixture(instance: ObservedInstance, path: string): Promise<unknown> {
  const response = await fetch(`http://${instance.address}${path}`);
  return (await response.json()) as unknown;
}

/** Asks the fixture model for something it may die of before it answers. */
export async function harmFixture(instance: ObservedInstance, path: string): Promise<void> {
  await askFixture(instance, path).catch(() => undefined);
}

/** True while the process exists and is not merely waiting to be collected. */
export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/statm`) && existsSync(`/proc/${pid}/exe`);
}

/** Waits until none of the processes lives; fails when one still does after two seconds. */
export async function untilDead(pids: readonly number[]): Promise<void> {
  const deadline = Date.now() + 2000;
  while (pids.some(isAlive)) {
    if (Date.now() > deadline) throw new Error(`still alive: ${pids.filter(isAlive).join(', ')}`);
    await new Promise((settle) => setTimeout(settle, 10));
  }
}
