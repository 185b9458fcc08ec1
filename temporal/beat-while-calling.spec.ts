import { describe, expect, it } from '@jest/globals';
import { Context, type Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { setTimeout as sleep } from 'node:timers/promises';
import { beatWhileCalling } from './beat-while-calling.js';

describe('a short activity with a heartbeat timeout', () => {
  /** Runs it until `work` is done, and gives how often it had beaten by its end and how often 100 ms later. */
  async function run(given: Partial<Info>, work: (beats: () => number) => Promise<unknown>) {
    const environment = new MockActivityEnvironment(
      { startToCloseTimeoutMs: 30_000, ...given },
      {
        interceptors: [beatWhileCalling],
        logger: new DefaultLogger('ERROR'),
      },
    );
    let beats = 0;
    environment.on('heartbeat', () => (beats += 1));
    const outcome = await environment.run(() => work(() => beats)).catch((error: Error) => error.message);
    const atItsEnd = beats;
    await sleep(100);
    return { outcome, atItsEnd, later: beats };
  }

  const untilBeaten = async (times: number, beats: () => number) => {
    while (beats() < times) await sleep(5);
  };

  it('beats while it runs and not afterwards, also when it fails', async () => {
    const began = performance.now();
    const good = await run({ heartbeatTimeoutMs: 40 }, (beats) => untilBeaten(4, beats));
    expect(performance.now() - began).toBeGreaterThan(40);
    expect(good.later).toBe(good.atItsEnd);
    const bad = await run({ heartbeatTimeoutMs: 40 }, async (beats) => {
      await untilBeaten(2, beats);
      throw new Error(`failed as ${Context.current().info.activityType}`);
    });
    expect(bad.outcome).toMatch(/^failed as /);
    expect(bad.later).toBe(bad.atItsEnd);
  });

  it('is left alone when it has none, and when it may take so long that it beats by itself', async () => {
    const work = () => sleep(100);
    expect((await run({}, work)).later).toBe(0);
    expect((await run({ heartbeatTimeoutMs: 40, startToCloseTimeoutMs: 86_400_000 }, work)).later).toBe(0);
  });
});
