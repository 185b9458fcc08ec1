import { setTimeout as sleep } from 'node:timers/promises';
import type { TestModel } from '../../prove/proof-hub.js';
import type { StoryStage, ToldStories } from './story-stage.js';

/** One model per story, so that no story disturbs another. */
export const storyModels: readonly TestModel[] = [
  { id: 'replay-short', env: { MODE: 'good' } },
  { id: 'replay-one-place', env: { MODE: 'good', ROW_DELAY_MS: '2' }, maxInstances: 1 },
  { id: 'replay-known-speed', env: { MODE: 'good', ROW_DELAY_MS: '2' }, maxInstances: 1 },
  { id: 'replay-slices', env: { MODE: 'good', ROW_DELAY_MS: '1' }, maxInstances: 2 },
  { id: 'replay-eats', env: { MODE: 'eats-memory', EATS_MIB: '150' }, memoryLimitMebibytes: 160 },
  { id: 'replay-killed', env: { MODE: 'good', ROW_DELAY_MS: '4' }, maxInstances: 1 },
  { id: 'replay-running', env: { MODE: 'good', ROW_DELAY_MS: '4' }, maxInstances: 1 },
  { id: 'replay-never-ready', env: { MODE: 'never-ready' } },
  { id: 'replay-html', env: { MODE: 'html' } },
];

/** A model whose row names no start command: the host refuses its instances. */
export const refusedModel = 'replay-refused';

/** Runs every story that is told again and again on a real hub, and says which workflow told it. */
export class StoryTeller {
  constructor(private readonly stage: StoryStage) {}

  async shortPath(): Promise<ToldStories> {
    const cold = await this.stage.submit('replay-short', 1);
    await this.stage.finished(cold);
    for (let calls = 0; calls < 4; calls += 1)
      await this.stage.finished(await this.stage.submit('replay-short', 2));
    const warm = await this.stage.submit('replay-short', 3);
    await this.stage.finished(warm);
    return {
      'request-first': await this.stage.workflow(cold),
      'request-short-path': await this.stage.workflow(warm),
      'instance-idle-end': await this.stage.instance(warm),
    };
  }

  /** One place, three requests: the first works, the second waits its turn, the third is cancelled while it waits. */
  async waiting(): Promise<ToldStories> {
    const first = await this.stage.submit('replay-one-place', 1000);
    await this.stage.inState(first, 'PROCESSING');
    const second = await this.stage.submit('replay-one-place', 10);
    const third = await this.stage.submit('replay-one-place', 10);
    await this.stage.inState(third, 'SCHEDULING');
    await sleep(500);
    await this.stage.client.cancel(third);
    await this.stage.finished(second);
    return {
      'request-waited-then-granted': await this.stage.workflow(second),
      'request-cancelled-while-waiting': await this.stage.workflow(third),
    };
  }

  /** The hub knows how quick the model is, so what waited is short once its turn comes. */
  async waitingForShortWork(): Promise<ToldStories> {
    for (let calls = 0; calls < 4; calls += 1)
      await this.stage.finished(await this.stage.submit('replay-known-speed', 10));
    const first = await this.stage.submit('replay-known-speed', 1000);
    await this.stage.inState(first, 'PROCESSING');
    const second = await this.stage.submit('replay-known-speed', 10);
    await this.stage.finished(second);
    return { 'request-waited-then-short-path': await this.stage.workflow(second) };
  }

  async cancelledWhileRunning(): Promise<ToldStories> {
    const request = await this.stage.submit('replay-running', 1000);
    await this.stage.inState(request, 'PROCESSING');
    await sleep(300);
    await this.stage.client.cancel(request);
    return {
      'request-cancelled-while-running': await this.stage.workflow(request),
      'instance-stopped': await this.stage.instance(request),
    };
  }

  async slices(): Promise<ToldStories> {
    const request = await this.stage.submit('replay-slices', 3000);
    await this.stage.finished(request);
    return { 'request-several-slices': await this.stage.workflow(request) };
  }

  async outOfMemory(): Promise<ToldStories> {
    const request = await this.stage.submit('replay-eats', 5);
    await this.stage.finished(request);
    return {
      'request-out-of-memory-healed': await this.stage.workflow(request),
      'instance-out-of-memory': await this.stage.instance(request),
    };
  }

  /** Its model server is killed; told alone, so that no other's is. */
  async lost(): Promise<ToldStories> {
    const request = await this.stage.submit('replay-killed', 1000);
    await this.stage.inState(request, 'PROCESSING');
    await sleep(300);
    const before = await this.stage.instance(request);
    this.stage.killModelServers();
    await this.stage.finished(request);
    return { 'request-instance-lost': await this.stage.workflow(request), 'instance-killed': before };
  }

  async failing(): Promise<ToldStories> {
    const [refused, neverReady, html] = await Promise.all([
      this.stage.submit(refusedModel, 1),
      this.stage.submit('replay-never-ready', 1),
      this.stage.submit('replay-html', 1),
    ]);
    await Promise.all([refused, neverReady, html].map((id) => this.stage.finished(id)));
    return {
      'request-refused': await this.stage.workflow(refused),
      'instance-refused': await this.stage.instance(refused),
      'request-never-ready': await this.stage.workflow(neverReady),
      'instance-never-ready': await this.stage.instance(neverReady),
      'request-model-failed': await this.stage.workflow(html),
    };
  }
}
