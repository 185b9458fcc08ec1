import { describe, expect, it } from '@jest/globals';
import { Context, type Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { setTimeout as sleep } from 'node:timers/promises';
import { beatWhileCalling } from './beat-while-calling.js';

describe('a short activity with a heartbeat timeout', () => {
  /** Runs it for 100 ms, and gives how often it had beaten by its end and how often 100 ms later. */
  async function run(given: Partial<Info>, work = () => sleep(100)) {
    const environment = new MockActivityEnvironment(
      { startToCloseTimeoutMs: 30_000, ...given },
      {
        interceptors: [beatWhileCalling],
        logger: new DefaultLogger('ERROR'),
      },
    );
    let beats = 0;
    environment.on('heartbeat', () => (beats += 1));
    const outcome = await environment.run(work).catch((error: Error) => error.message);
    const atItsEnd = beats;
    await sleep(100);
    return { outcome, atItsEnd, later: beats };
  }

  it('beats while it runs and not afterwards, also when it fails', async () => {
    const good = await run({ heartbeatTimeoutMs: 40 });
    expect(good.atItsEnd).toBeGreaterThan(3);
    expect(good.later).toBe(good.atItsEnd);
    const bad = await run({ heartbeatTimeoutMs: 40 }, async () => {
      await sleep(50);
      throw new Error(`failed as ${Context.current().info.activityType}`);
    });
    expect(bad.outcome).toMatch(/^failed as /);
    expect(bad.atItsEnd).toBeGreaterThan(1);
    expect(bad.later).toBe(bad.atItsEnd);
  });

  it('is left alone when it has none, and when it may take so long that it beats by itself', async () => {
    expect((await run({})).later).toBe(0);
    expect((await run({ heartbeatTimeoutMs: 40, startToCloseTimeoutMs: 86_400_000 })).later).toBe(0);
  });
});
