import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from '@jest/globals';

describe('a worker that waits for Temporal', () => {
  let worker: ChildProcess | undefined;
  afterEach(() => void worker?.kill('SIGKILL'));

  async function startWaiting(): Promise<ChildProcess> {
    const nobody = '127.0.0.1:1';
    const started = fork(join(process.cwd(), 'dist', 'temporal', 'worker.main.js'), {
      env: {
        ...process.env,
        DATABASE_URL: `postgresql://nobody@${nobody}/none`,
        LOCAL_HOST_SOCKET: '/nowhere',
        TEMPORAL_ADDRESS: nobody,
      },
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    });
    worker = started;
    for await (const line of createInterface({ input: started.stdout! }))
      if (line.includes('Temporal does not answer')) break;
    return started;
  }

  it.each([
    ['its supervisor is gone', (child: ChildProcess) => child.disconnect()],
    ['it is told to', (child: ChildProcess) => void child.kill('SIGTERM')],
  ])(
    'ends when %s',
    async (_, tell) => {
      const child = await startWaiting();
      const ended = once(child, 'exit');
      tell(child);
      expect(await ended).toEqual([0, null]);
    },
    10_000,
  );
});
