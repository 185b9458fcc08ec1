/**
 * The whole hub as `npm start` starts it. What requests do while processes die is shown by the end-to-end specs; the
 * supervisor alone by `local/supervisor.spec.ts`.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listPids, readProcFile, readProcStat } from '../../hosts/local/proc-files.js';
import { freePort } from '../../local/ports.js';
import { describeWith } from '../support/require-part.js';
import { type RunningStack, startProgram, startStack } from '../support/stack.js';

const isRunning = (pid: number) => readProcStat(pid) !== null;

/** Every process that was started for this data directory: its path is among the words or variables of each. */
function processesOf(dataDir: string): number[] {
  return listPids().filter(
    (pid) =>
      pid !== process.pid &&
      isRunning(pid) &&
      ['cmdline', 'environ'].some((file) => readProcFile(pid, file)?.includes(dataDir)),
  );
}

async function until(condition: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms`);
    await sleep(50);
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

/** Starts the program where it must refuse, and gives its exit code and words. */
async function refusal(dataDir: string, port: number, environment: Record<string, string> = {}) {
  const program = startProgram({ dataDir, port, environment });
  const [code] = (await once(program.process, 'close')) as [number | null];
  return { code, words: program.output() };
}

describeWith('postgres', 'temporal')('a hub on this machine', () => {
  let dataDir = '';
  let stack: RunningStack;
  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'hub-stack-spec-'));
    stack = await startStack({ dataDir });
  }, 90_000);
  afterAll(async () => {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }, 30_000);

  const restart = async () => {
    const code = await stack.stop();
    const before = performance.now();
    stack = await startStack({ dataDir, port: stack.port });
    return { code, startMs: performance.now() - before };
  };

  it('prints how to reach it, and signs the first admin in with the printed password', async () => {
    expect(stack.output).toContain(stack.url);
    expect(stack.output).toMatch(/Temporal UI {3}http:\/\/127\.0\.0\.1:\d+/);
    const encoding = Buffer.from(`admin:${stack.adminPassword}`).toString('base64');
    const answer = await fetch(`${stack.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ encoding, auth_type: 'ErsiliaUser' }),
    });
    expect(await answer.json()).toMatchObject({ permissions: ['ADMIN'] });
  });

  it('refuses a second hub on its data directory', async () => {
    const { code, words } = await refusal(dataDir, await freePort());
    expect(code).toBe(1);
    expect(words).toContain(`another hub (process ${stack.pid}) uses`);
  });

  it('refuses a taken port', async () => {
    const other = mkdtempSync(join(tmpdir(), 'hub-stack-spec-'));
    const { code, words } = await refusal(other, stack.port);
    expect(code).toBe(1);
    expect(words).toContain(`port ${stack.port} of 127.0.0.1 is taken`);
    expect(processesOf(other)).toEqual([]);
    rmSync(other, { recursive: true });
  });

  it('brings back every process that is killed', async () => {
    for (const name of ['worker', 'api', 'local-host', 'temporal', 'postgres']) {
      const pid = stack.processes[name] ?? 0;
      expect(isRunning(pid)).toBe(true);
      process.kill(pid, 'SIGKILL');
      await until(() => ![undefined, pid].includes(stack.processes[name]), 10_000);
    }
    await until(() => isReady(stack.url), 20_000);
  }, 90_000);

  it('starts on a Temporal file that was deleted', async () => {
    const file = join(dataDir, 'temporal', 'temporal.db');
    for (const suffix of ['', '-wal', '-shm']) unlinkSync(`${file}${suffix}`);
    const pid = stack.processes.temporal ?? 0;
    process.kill(pid, 'SIGKILL');
    await until(() => ![undefined, pid].includes(stack.processes.temporal), 10_000);
    await until(() => existsSync(file), 10_000);
    await until(() => isReady(stack.url), 20_000);
  }, 60_000);

  it('stops cleanly, and starts again on the same ports without another password', async () => {
    const addresses = [stack.temporalAddress, stack.databaseUrl];
    const { code } = await restart();
    expect(code).toBe(0);
    expect([stack.temporalAddress, stack.databaseUrl]).toEqual(addresses);
    expect(stack.adminPassword).toBeNull();
    expect(await isReady(stack.url)).toBe(true);
  }, 60_000);

  it('leaves no process behind when its supervisor is killed with -9, and starts again', async () => {
    process.kill(stack.pid, 'SIGKILL');
    await until(() => processesOf(dataDir).length === 0, 10_000);
    await restart();
    expect(await isReady(stack.url)).toBe(true);
  }, 60_000);
});

describeWith('postgres', 'temporal')('a start is refused in one sentence', () => {
  let dataDir = '';
  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'hub-stack-spec-'));
  });
  afterAll(() => rmSync(dataDir, { recursive: true }));

  it('on a data directory of another version', async () => {
    writeFileSync(join(dataDir, 'stack.json'), JSON.stringify({ layout: 99 }));
    const { code, words } = await refusal(dataDir, await freePort());
    expect(code).toBe(1);
    expect(words).toMatch(/^hub: .* belongs to another version of the hub \(layout 99.*\n$/);
    rmSync(join(dataDir, 'stack.json'));
  });

  it('when the Temporal program that was named does not exist', async () => {
    const { code, words } = await refusal(dataDir, await freePort(), { TEMPORAL_CLI: '/no/such/temporal' });
    expect(code).toBe(1);
    expect(words).toMatch(/^hub: TEMPORAL_CLI names \/no\/such\/temporal .* but no such file exists\n$/);
  });

  it('when a setting is wrong', async () => {
    const { code, words } = await refusal(dataDir, 0);
    expect(code).toBe(1);
    expect(words).toMatch(/^hub: .*PORT/);
  });
});
