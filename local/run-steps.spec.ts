import { describe, expect, it } from '@jest/globals';
import { runSteps, type Step } from './run-steps.js';

const step = (name: string, needs: string[], work: Promise<void> = Promise.resolve()): Step => ({
  name,
  needs,
  run: () => work.then(() => undefined),
});

describe('the steps of a start', () => {
  it('wait for what they need and overlap otherwise', async () => {
    const done: string[] = [];
    const slow = Promise.withResolvers<void>();
    const steps = [
      step('slow', [], slow.promise),
      step('quick', []),
      step('after slow', ['slow']),
      step('after quick', ['quick']),
    ];
    await runSteps(steps, (name) => {
      done.push(name);
      if (name === 'after quick') slow.resolve();
    });
    expect(done).toEqual(['quick', 'after quick', 'slow', 'after slow']);
  });

  it('do not run when what they need failed', async () => {
    const done: string[] = [];
    const broken: Step = { name: 'broken', needs: [], run: () => Promise.reject(new Error('no database')) };
    const run = runSteps([broken, step('after', ['broken'])], (name) => done.push(name));
    await expect(run).rejects.toThrow('no database');
    expect(done).toEqual([]);
  });

  it('are refused when one needs a later one', async () => {
    const steps = [step('a', ['b']), step('b', [])];
    await expect(runSteps(steps, () => undefined)).rejects.toThrow('step a needs b');
  });
});
