import { afterEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcStat } from '../hosts/local/proc-files.js';
import { repositoryRoot } from './repository.js';
import { nodeChild } from './stack-children.js';
import type { ChildPlan } from './supervised-child.js';
import { Supervisor } from './supervisor.js';

const serves = `process.send('ready'); setInterval(() => {}, 1000);`;

/** A node child that runs this code; it is ready when it says so. */
function child(name: string, code: string): ChildPlan {
  return {
    name,
    stopSignal: 'SIGTERM',
    prepare: async () => ({
      command: process.execPath,
      args: ['-e', code],
      hasChannel: true,
      deathSignal: 'SIGKILL',
    }),
    waitUntilReady: async (process: ChildProcess, signal: AbortSignal) => {
      await once(process, 'message', { signal });
    },
  };
}

/** A child that answers as the hub's own programs do, given up after so many seconds of silence. */
function asked(name: string, silenceSeconds: number, code = ''): ChildPlan {
  const { health } = nodeChild(name, '', {}, silenceSeconds);
  return { ...child(name, `process.on('message', () => process.send('alive')); ${code} ${serves}`), health };
}

class Heard {
  readonly lines: string[] = [];
  readonly pids: Readonly<Record<string, number>>[] = [];
  readonly reports = {
    line: (name: string, text: string) => this.lines.push(`${name}: ${text}`),
    processes: (pids: Readonly<Record<string, number>>) => this.pids.push(pids),
  };
}

const heard: Heard[] = [];
const supervisors: Supervisor[] = [];
function supervisor(): { supervisor: Supervisor; heard: Heard } {
  const ears = new Heard();
  const made = new Supervisor(ears.reports);
  heard.push(ears);
  supervisors.push(made);
  return { supervisor: made, heard: ears };
}
afterEach(() => Promise.all(supervisors.splice(0).map((made) => made.stop())));

async function until(condition: () => boolean, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms`);
    await sleep(10);
  }
}

const isRunning = (pid: number) => readProcStat(pid) !== null;

describe('the supervisor', () => {
  it('forwards every line with the name of its process', async () => {
    const { supervisor: made, heard: ears } = supervisor();
    await made.start(child('talker', `console.log('one\\ntwo'); console.error('three'); ${serves}`));
    await until(() => ears.lines.length === 3);
    expect(ears.lines.toSorted()).toEqual(['talker: one', 'talker: three', 'talker: two']);
  });

  it('stops children in the reverse order of their start', async () => {
    const { supervisor: made, heard: ears } = supervisor();
    for (const name of ['first', 'second', 'third']) await made.start(child(name, serves));
    await made.stop();
    expect(ears.pids.map((pids) => Object.keys(pids).join())).toEqual([
      'first',
      'first,second',
      'first,second,third',
      'first,second',
      'first',
      '',
    ]);
  });

  it('starts a dead child again at once, then more slowly', async () => {
    const { supervisor: made, heard: ears } = supervisor();
    await made.start(child('fragile', `process.send('ready', () => process.exit(7))`));
    const said = (words: string) => ears.lines.some((line) => line.includes(words));
    await until(() => said('in 500 ms'));
    const restarts = ears.lines.filter((line) => line.includes('starting it again'));
    expect(restarts).toEqual([
      'fragile: (supervisor) ended with exit code 7; starting it again now',
      'fragile: (supervisor) ended with exit code 7; starting it again in 250 ms',
      'fragile: (supervisor) ended with exit code 7; starting it again in 500 ms',
    ]);
  });

  it('says by which signal a child ended, and that it serves again', async () => {
    const { supervisor: made, heard: ears } = supervisor();
    await made.start(child('victim', serves));
    const pid = ears.pids.at(-1)?.victim ?? 0;
    process.kill(pid, 'SIGKILL');
    await until(() => ears.lines.some((line) => line.includes('serves again')));
    expect(ears.lines[0]).toBe('victim: (supervisor) was ended by SIGKILL; starting it again now');
    expect(ears.pids.at(-1)?.victim).not.toBe(pid);
  });

  it('ends a child that ignores SIGTERM, within the ten seconds', async () => {
    const { supervisor: made, heard: ears } = supervisor();
    const deaf = `process.on('SIGTERM', () => {}); ${serves}`;
    for (const name of ['a', 'b', 'c', 'd', 'e']) await made.start(child(name, deaf));
    const pids = Object.values(ears.pids.at(-1) ?? {});
    expect(pids).toHaveLength(5);
    const before = performance.now();
    await made.stop();
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(pids.filter(isRunning)).toEqual([]);
  }, 20_000);

  it('gives up on a child that never serves, with its last words', async () => {
    const { supervisor: made } = supervisor();
    const start = made.start(child('broken', `console.error('no such table'); process.exit(3)`));
    await expect(start).rejects.toThrow(
      'broken does not start: it ended with exit code 3 3 times; its last words: no such table',
    );
  });

  it('gives up on a program that does not exist', async () => {
    const { supervisor: made } = supervisor();
    const missing: ChildPlan = {
      ...child('absent', ''),
      prepare: async () => ({ command: '/no/such/program', args: [], deathSignal: 'SIGKILL' }),
    };
    await expect(made.start(missing)).rejects.toThrow('absent does not start');
  });

  it('passes on at once why a child could not be prepared', async () => {
    const { supervisor: made } = supervisor();
    const refused: ChildPlan = {
      ...child('refused', ''),
      prepare: () => Promise.reject(new Error('the data is of another version')),
    };
    await expect(made.start(refused)).rejects.toThrow('the data is of another version');
  });

  it('kills a child that answers no more and starts it again', async () => {
    const { supervisor: made, heard: ears } = supervisor();
    await made.start(asked('frozen', 0.5));
    const pid = ears.pids.at(-1)?.frozen ?? 0;
    const before = performance.now();
    process.kill(pid, 'SIGSTOP');
    await until(() => ears.lines.some((line) => line.includes('serves again')));
    expect(performance.now() - before).toBeGreaterThan(400);
    expect(ears.lines.slice(0, 3)).toEqual([
      expect.stringMatching(/^frozen: \(supervisor\) does not answer \(.+\)$/),
      'frozen: (supervisor) did not answer 9 times in a row and is killed',
      'frozen: (supervisor) was ended by SIGKILL; starting it again now',
    ]);
    expect(isRunning(pid)).toBe(false);
  });

  it('lets a child be that was silent for less long', async () => {
    const { supervisor: made, heard: ears } = supervisor();
    await made.start(asked('sleepy', 4));
    const pid = ears.pids.at(-1)?.sleepy ?? 0;
    process.kill(pid, 'SIGSTOP');
    await until(() => ears.lines.length === 1);
    process.kill(pid, 'SIGCONT');
    await until(() => ears.lines.length === 2);
    expect(ears.lines[1]).toBe('sleepy: (supervisor) answers again');
    expect(ears.pids.at(-1)).toEqual({ sleepy: pid });
  });

  it('kills no child that refuses its question while it ends', async () => {
    const { supervisor: made, heard: ears } = supervisor();
    await made.start(
      // Asked every 222 ms it refuses a question or two: of the nine that would cost it its life, however late it ends.
      asked(
        'fragile',
        2,
        `setTimeout(() => process.disconnect(), 50); setTimeout(() => process.exit(7), 450);`,
      ),
    );
    await until(() => ears.lines.some((line) => line.includes('serves again')));
    expect(ears.lines).toContain('fragile: (supervisor) ended with exit code 7; starting it again now');
  });

  it('stops a child that is waiting to be started again', async () => {
    const { supervisor: made, heard: ears } = supervisor();
    await made.start(child('fragile', `process.send('ready', () => process.exit(7))`));
    await until(() => ears.lines.some((line) => line.includes('in 2000 ms')));
    const before = performance.now();
    await made.stop();
    expect(performance.now() - before).toBeLessThan(1500);
  });
});

describe('children of a supervisor that was killed with -9', () => {
  /** A supervisor in a process of its own, with a child that blocks its event loop and one that is no node program. */
  async function startElsewhere(path: string) {
    const module = join(repositoryRoot(), 'dist', 'local', 'supervisor.js');
    const program = `
      import { Supervisor } from ${JSON.stringify(module)};
      let pids = {};
      const made = new Supervisor({ line() {}, processes: (now) => (pids = now) });
      const child = (name, command, args) => made.start({
        name, stopSignal: 'SIGTERM', waitUntilReady: async () => {},
        prepare: async () => ({ command, args, hasChannel: true, deathSignal: 'SIGKILL' }),
      });
      await child('blocked', process.execPath, ['-e', 'for (;;);']);
      await child('foreign', '/bin/sleep', ['1000']);
      setTimeout(() => console.log(JSON.stringify(pids)), 300);`;
    const running = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, PATH: path },
    });
    const [line] = (await once(createInterface({ input: running.stdout }), 'line')) as [string];
    return { running, pids: Object.values(JSON.parse(line) as Record<string, number>) };
  }

  async function expectNoOrphans(path: string) {
    const { running, pids } = await startElsewhere(path);
    expect(pids.filter(isRunning)).toHaveLength(2);
    running.kill('SIGKILL');
    await until(() => pids.filter(isRunning).length === 0, 3000);
  }

  it('end with it', () => expectNoOrphans(process.env.PATH ?? ''));

  it('end with it on a machine without setpriv', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'hub-path-'));
    await expectNoOrphans(empty);
    rmSync(empty, { recursive: true });
  });
});
