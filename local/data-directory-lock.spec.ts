import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDataDirectory } from './data-directory-lock.js';
import { repositoryRoot } from './repository.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hub-lock-'));
});
const holders: ChildProcess[] = [];
afterEach(() => {
  for (const holder of holders.splice(0)) holder.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** Another process that takes the lock and holds it until it is killed. */
async function holdElsewhere() {
  const module = join(repositoryRoot(), 'dist', 'local', 'data-directory-lock.js');
  const program = `import { lockDataDirectory } from ${JSON.stringify(module)};
    lockDataDirectory(${JSON.stringify(directory)}); console.log('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  holders.push(holder);
  await once(holder.stdout, 'data');
  return holder;
}

describe('the lock of a data directory', () => {
  it('refuses a second hub and says which one holds it', async () => {
    const holder = await holdElsewhere();
    expect(() => lockDataDirectory(directory)).toThrow(
      `another hub (process ${holder.pid}) uses ${directory}`,
    );
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  });

  it('counts for nothing when its hub was killed with -9', async () => {
    const holder = await holdElsewhere();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const unlock = lockDataDirectory(directory);
    expect(readdirSync(directory)).toEqual(['lock']);
    unlock();
    expect(existsSync(join(directory, 'lock'))).toBe(false);
  });

  it('counts for nothing when its pid is another process by now', () => {
    const unlock = lockDataDirectory(directory);
    const lock = join(directory, 'lock');
    const holder = JSON.parse(readFileSync(lock, 'utf8')) as { startTicks: number };
    writeFileSync(lock, JSON.stringify({ ...holder, startTicks: holder.startTicks - 1 }));
    expect(() => lockDataDirectory(directory)).not.toThrow();
    unlock();
  });

  it('counts for nothing when the machine was started again', () => {
    lockDataDirectory(directory);
    const lock = join(directory, 'lock');
    const holder = JSON.parse(readFileSync(lock, 'utf8')) as object;
    writeFileSync(lock, JSON.stringify({ ...holder, bootId: 'another' }));
    expect(() => lockDataDirectory(directory)).not.toThrow();
  });

  it('counts for nothing when it is damaged', () => {
    writeFileSync(join(directory, 'lock'), '');
    expect(() => lockDataDirectory(directory)).not.toThrow();
  });
});
