/** Real threads that die, hang or fail on command; chemistry itself is in chemistry.spec.ts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { MoleculeThreads } from './molecule-threads.js';
import { threadFile } from './thread-file.js';

const folder = mkdtempSync(join(tmpdir(), 'molecule-threads-'));
const file = join(folder, 'thread.mjs');
writeFileSync(
  file,
  `import { existsSync, writeFileSync } from 'node:fs';
  import { answerRows } from '${threadFile('thread-task.js', import.meta.url)}';
  export const echo = (task) => answerRows(task, (text) => {
    if (text === 'die') process.exit(7);
    if (text === 'hang') for (;;);
    if (text === 'throw') throw new Error('a fault of the thread file');
    if (text.startsWith('once:') && !existsSync(text.slice(5))) {
      writeFileSync(text.slice(5), '');
      process.exit(9);
    }
    return text + (task.suffix ?? '');
  });`,
);

let threads: MoleculeThreads | undefined;
const losses: string[] = [];
const start = (count: number) =>
  (threads = new MoleculeThreads({
    file,
    threads: count,
    deadlineMs: 200,
    onLoss: (message) => losses.push(message),
  }));

afterEach(async () => {
  losses.length = 0;
  await threads?.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const good = (from: number, count: number) => Array.from({ length: count }, (_, n) => `row ${from + n}`);

describe.each([1, 2])('with %i threads', (count) => {
  it('answers every row in order, whatever the number of pieces', async () => {
    const rows = good(0, 1777);
    expect(await start(count).answer({ name: 'echo' }, rows, 'lost')).toEqual(rows);
  });

  it.each(['die', 'hang', 'throw'])('loses only the row that makes a thread %s', async (culprit) => {
    const rows = [...good(0, 40), culprit, ...good(41, 600)];
    const answers = await start(count).answer({ name: 'echo' }, rows, 'lost');
    expect(answers).toEqual([...good(0, 40), 'lost', ...good(41, 600)]);
    expect(losses).toHaveLength(1);
  });
});

describe('a lost thread', () => {
  it('is no reason to give up the row it was on when it was killed from outside', async () => {
    const rows = [...good(0, 20), `once:${join(folder, 'killed')}`, ...good(21, 20)];
    expect(await start(1).answer({ name: 'echo' }, rows, 'lost')).toEqual(rows);
    expect(losses).toEqual([]);
  });

  it('does not disturb what others asked meanwhile', async () => {
    const pool = start(2);
    const [poisoned, ...others] = await Promise.all([
      pool.answer({ name: 'echo' }, ['die', 'hang', 'fine'], 'lost'),
      ...Array.from({ length: 5 }, (_, n) => pool.answer({ name: 'echo' }, good(n, 700), 'lost')),
    ]);
    expect(poisoned).toEqual(['lost', 'lost', 'fine']);
    expect(others).toEqual(Array.from({ length: 5 }, (_, n) => good(n, 700)));
  });
});

describe('a question', () => {
  it('takes what it is told besides the rows along', async () => {
    const answers = await start(1).answer({ name: 'echo', extra: { suffix: '!' } }, ['a', 'b'], 'lost');
    expect(answers).toEqual(['a!', 'b!']);
  });

  it('is refused with the file named when no thread can start', async () => {
    threads = new MoleculeThreads({
      file: join(folder, 'missing.mjs'),
      threads: 1,
      onLoss: (m) => losses.push(m),
    });
    await expect(threads.answer({ name: 'echo' }, ['a'], 'lost')).rejects.toThrow(
      /missing\.mjs does not run/,
    );
  });

  it('is refused after close', async () => {
    const pool = start(1);
    await pool.close();
    await expect(pool.answer({ name: 'echo' }, ['a'], 'lost')).rejects.toThrow('closed');
  });

  it('is refused when close comes while it is answered', async () => {
    const pool = start(1);
    const asked = pool.answer({ name: 'echo' }, good(0, 400_000), 'lost');
    await Promise.all([expect(asked).rejects.toThrow('closed'), pool.close()]);
  });
});
