import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { NotLeadingError, seekLeadership, type Leadership } from '../../activities/leader/leadership.js';
import type { Database } from '../../db/database.js';
import { openTestDatabase } from '../support/open-test-database.js';
import { describeWith } from '../support/require-part.js';

describeWith('postgres')('leadership', () => {
  let database: Database;
  const candidates: Leadership[] = [];
  const terms: string[] = [];
  const errors: Error[] = [];

  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database.close());
  afterEach(async () => {
    await Promise.all(candidates.splice(0).map((candidate) => candidate.close()));
    await database.rows(`delete from leader`);
    terms.length = 0;
    expect(errors.splice(0)).toEqual([]);
  });

  const seek = (name: string) => {
    const candidate = seekLeadership(database, {
      onGained: () => terms.push(`${name} gained`),
      onLost: () => terms.push(`${name} lost`),
      onError: (error) => errors.push(error),
    });
    candidates.push(candidate);
    return candidate;
  };
  const until = async (condition: () => boolean, ms = 10_000) => {
    const latest = performance.now() + ms;
    while (!condition()) {
      if (performance.now() > latest) throw new Error(`not within ${ms} ms; so far: ${terms.join(', ')}`);
      await sleep(10);
    }
  };
  const write = (candidate: Leadership) => database.transaction((sql) => candidate.assertLeading(sql));
  const leaders = () => candidates.filter(({ leading }) => leading);

  it('is one of three’s, who alone may write, and stays so', async () => {
    for (const name of ['a', 'b', 'c']) seek(name);
    await until(() => leaders().length === 1);
    await sleep(2_200);
    expect(terms).toHaveLength(1);
    for (const candidate of candidates) {
      if (candidate.leading) await write(candidate);
      else await expect(write(candidate)).rejects.toThrow(NotLeadingError);
    }
  });

  it('is handed over at once when the leader closes', async () => {
    const first = seek('a');
    await until(() => first.leading);
    const second = seek('b');
    await first.close();
    // Before what the first had would have run out.
    await until(() => second.leading, 4_000);
    expect(terms).toEqual(['a gained', 'a lost', 'b gained']);
    await expect(write(first)).rejects.toThrow(NotLeadingError);
    const rows = await database.rows<{ fence: number }>(`select fence from leader`);
    expect(rows).toEqual([{ fence: 2 }]);
  });

  it('waits for a write of the leader that is under way, so that no two write at once', async () => {
    const first = seek('a');
    await until(() => first.leading);
    const second = seek('b');
    await database.transaction(async (sql) => {
      await first.assertLeading(sql);
      void first.close();
      await sleep(1_500);
      expect(second.leading).toBe(false);
    });
    await until(() => second.leading);
  });

  it('is renewed while the leader’s own writes follow each other without a pause', async () => {
    const leader = seek('a');
    await until(() => leader.leading);
    const end = performance.now() + 6_500;
    const writing = async () => {
      while (performance.now() < end)
        await database.transaction(async (sql) => {
          await leader.assertLeading(sql);
          await sleep(20);
        });
    };
    await Promise.all([writing(), writing(), writing()]);
    expect(terms).toEqual(['a gained']);
  });

  /** A candidate in a process of its own, and what it says. */
  const startCandidate = () => {
    const said: string[] = [];
    const child: ChildProcess = fork(join(process.cwd(), 'dist/test/support/leader-candidate.main.js'), {
      env: { ...process.env, DATABASE_URL: database.url, NODE_OPTIONS: '' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.on('message', (message: string) => said.push(message));
    return { child, said };
  };

  it('of a process that freezes in the middle of a write is taken over within 10 s too', async () => {
    const { child, said } = startCandidate();
    try {
      await until(() => said.includes('leads'));
      child.send('hold');
      await until(() => said.includes('holding'));
      child.kill('SIGSTOP');
      const second = seek('b');
      await until(() => second.leading, 10_000);
      await write(second);
    } finally {
      child.kill('SIGKILL');
    }
  }, 60_000);

  it('of a frozen process is taken over within 10 s, and what it writes when it thaws is refused', async () => {
    const { child, said } = startCandidate();
    try {
      await until(() => said.includes('leads'));
      child.send('write');
      await until(() => said.includes('written'));
      const second = seek('b');
      await sleep(1_200);
      expect(second.leading).toBe(false);

      child.kill('SIGSTOP');
      const frozenAt = performance.now();
      child.send('write');
      await until(() => second.leading, 10_000);
      expect(performance.now() - frozenAt).toBeLessThan(10_000);
      child.kill('SIGCONT');
      await until(() => said.includes('NotLeadingError') && said.includes('leads no more'));
      await write(second);
      expect(said.filter((word) => word === 'written')).toHaveLength(1);
      expect(terms).toEqual(['b gained']);
    } finally {
      child.kill('SIGKILL');
    }
  }, 60_000);
});
