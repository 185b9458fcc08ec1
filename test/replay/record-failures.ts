import { setTimeout as sleep } from 'node:timers/promises';
import type { TestModel } from '../../prove/proof-hub.js';
import type { StoryStage, ToldStories } from './story-stage.js';

/** Ways in which a model fails its request for good, each a model of its own. */
const badModes = [
  'wrong-count',
  'silent',
  'huge',
  'redirect',
  'nan',
  'drip',
  'dies',
  'crash-at-start',
] as const;
/** Those whose instance has a story of its own. */
const deadly: readonly string[] = ['silent', 'dies', 'crash-at-start'];

export const failingModels: readonly TestModel[] = [
  ...badModes.map((mode) => ({ id: `replay-${mode}`, env: { MODE: mode } })),
  { id: 'replay-insatiable', env: { MODE: 'eats-memory', EATS_MIB: '700' }, memoryLimitMebibytes: 100 },
  { id: 'replay-huge-memory', env: { MODE: 'good' }, memoryLimitMebibytes: 4_000_000 },
  { id: 'replay-late', env: { MODE: 'eats-memory', EATS_MIB: '10', EATS_MS: '2500', EATS_MARKER: 'N' } },
];

/** What models and machines do to requests. */
export class FailureTeller {
  constructor(private readonly stage: StoryStage) {}

  badModels(): Promise<ToldStories[]> {
    return Promise.all(badModes.map((mode) => this.#badModel(mode)));
  }

  /** Killed for its memory three times. */
  async outOfMemoryForGood(): Promise<ToldStories> {
    const id = await this.stage.submit('replay-insatiable', 2);
    await this.stage.finished(id);
    return { 'request-out-of-memory-for-good': await this.stage.workflow(id) };
  }

  /** No node is large enough: one waits until its time is over, one is cancelled before. */
  async neverPlaced(): Promise<ToldStories> {
    await this.stage.hub.rows(
      `update model set memory_request_mebibytes = memory_limit_mebibytes where id = 'replay-huge-memory'`,
    );
    const given = await this.stage.submit('replay-huge-memory', 1);
    const cancelled = await this.stage.submit('replay-huge-memory', 2);
    await this.stage.inPhase(cancelled, 'instance-starting');
    await this.stage.client.cancel(cancelled);
    await this.stage.finished(given);
    return {
      'request-never-placed': await this.stage.workflow(given),
      'instance-never-placed': await this.stage.instance(given),
      'request-cancelled-while-unplaced': await this.stage.workflow(cancelled),
      'instance-unplaced-without-requester': await this.stage.instance(cancelled),
    };
  }

  /** Work that looked short is not: the short path gives it up, and it runs again as long work. */
  async tooLongForTheShortPath(): Promise<ToldStories> {
    for (let calls = 0; calls < 5; calls += 1)
      await this.stage.finished(await this.stage.submit('replay-late', 1));
    const { id } = await this.stage.client.submitEntries('replay-late', ['CCCOCN'], false);
    await this.stage.finished(id);
    return {
      'request-too-long-for-the-short-path': await this.stage.workflow(id),
      'instance-of-a-call-cut-short': await this.stage.instance(id),
    };
  }

  /** Told alone: the worker dies while one request runs and one waits. */
  async workerKilled(): Promise<ToldStories> {
    const running = await this.stage.atWork('replay-running', 2000);
    const waiting = await this.stage.submit('replay-running', 5);
    await this.stage.inPhase(waiting, 'waiting');
    this.stage.kill('worker');
    await Promise.all([this.stage.finished(running), this.stage.finished(waiting)]);
    return {
      'request-worker-killed': await this.stage.workflow(running),
      'request-worker-killed-while-waiting': await this.stage.workflow(waiting),
    };
  }

  /** Told alone: the host of all instances dies, and they with it. */
  async hostKilled(): Promise<ToldStories> {
    const id = await this.stage.atWork('replay-killed');
    this.stage.kill('local-host');
    await this.stage.finished(id);
    return {
      'request-host-killed': await this.stage.workflow(id),
      'instance-host-killed': await this.stage.instance(id),
    };
  }

  /** Told alone: Temporal is away for a while. */
  async temporalKilled(): Promise<ToldStories> {
    const id = await this.stage.atWork('replay-running');
    this.stage.kill('temporal');
    await this.stage.finished(id);
    await sleep(1_000);
    return { 'request-temporal-killed': await this.stage.workflow(id) };
  }

  async #badModel(mode: string): Promise<ToldStories> {
    const id = await this.stage.submit(`replay-${mode}`, 3);
    await this.stage.finished(id);
    return {
      [`request-model-${mode}`]: await this.stage.workflow(id),
      ...(deadly.includes(mode) && { [`instance-of-model-${mode}`]: await this.stage.instance(id) }),
    };
  }
}
