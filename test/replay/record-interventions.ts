import { setTimeout as sleep } from 'node:timers/promises';
import type { TestModel } from '../../prove/proof-hub.js';
import { modelInstanceWorkflowId } from '../../workflows/run-model-instance.messages.js';
import type { StoryStage, ToldStories } from './story-stage.js';

const slow = { MODE: 'good', ROW_DELAY_MS: '2' };

export const visitedModels: readonly TestModel[] = [
  { id: 'replay-async', env: slow, executionMode: 'ASYNC' },
  { id: 'replay-slow-start', env: { MODE: 'slow-start', START_DELAY_MS: '1500' } },
  { id: 'replay-closed', env: slow, maxInstances: 0 },
  { id: 'replay-two-places', env: slow, maxInstances: 2 },
  { id: 'replay-shared', env: slow, maxInstances: 2 },
  { id: 'replay-stopped', env: slow, maxInstances: 2 },
  { id: 'replay-revised', env: slow, maxInstances: 1 },
];

/** What people do to requests and instances: they cancel, stop, change models. */
export class InterventionTeller {
  constructor(private readonly stage: StoryStage) {}

  async jobs(): Promise<ToldStories> {
    const [done, cancelled] = await Promise.all([
      this.stage.submit('replay-async', 200),
      this.stage.atWork('replay-async', 2000),
    ]);
    await this.stage.client.cancel(cancelled);
    await this.stage.finished(done);
    return {
      'request-of-jobs': await this.stage.workflow(done),
      'request-of-jobs-cancelled': await this.stage.workflow(cancelled),
    };
  }

  /** The instance was asked for and is no more needed: it becomes warm, and ends by itself. */
  async cancelledWhileStarting(): Promise<ToldStories> {
    const id = await this.stage.submit('replay-slow-start', 1);
    await this.stage.inPhase(id, 'instance-starting');
    await this.stage.client.cancel(id);
    return {
      'request-cancelled-while-starting': await this.stage.workflow(id),
      'instance-warm-without-requester': await this.stage.instance(id),
    };
  }

  /** The model may have no instance, until an operator raises its limit. */
  async waitingForTheModel(): Promise<ToldStories> {
    const [cancelled, served] = [
      await this.stage.submit('replay-closed', 2),
      await this.stage.submit('replay-closed', 3),
    ];
    await Promise.all([cancelled, served].map((id) => this.stage.inPhase(id, 'waiting')));
    await this.stage.client.cancel(cancelled);
    await this.stage.hub.rows(`update model set max_instances = 1 where id = 'replay-closed'`);
    await this.stage.finished(served);
    return {
      'request-cancelled-at-limit-zero': await this.stage.workflow(cancelled),
      'request-waited-for-its-model': await this.stage.workflow(served),
    };
  }

  async slicesCancelled(): Promise<ToldStories> {
    const id = await this.stage.atWork('replay-two-places', 4000);
    await this.stage.client.cancel(id);
    return { 'request-several-slices-cancelled': await this.stage.workflow(id) };
  }

  /** Its second slice waits behind another request until nothing is left for it to do. */
  async sliceNotNeeded(): Promise<ToldStories> {
    const other = await this.stage.atWork('replay-shared', 1000);
    const id = await this.stage.submit('replay-shared', 1100);
    await Promise.all([other, id].map((each) => this.stage.finished(each)));
    return {
      'request-beside-slices': await this.stage.workflow(other),
      'request-slice-waited': await this.stage.workflow(id),
    };
  }

  /** An operator stops one of two instances at work, then a warm one. */
  async stopped(): Promise<ToldStories> {
    const id = await this.stage.atWork('replay-stopped', 4000);
    const [atWork] = await this.stage.instances(id);
    await this.stage.stop(atWork!);
    await this.stage.finished(id);
    const warm = (await this.stage.instances(id)).at(-1)!;
    await this.stage.stop(warm);
    return {
      'request-several-slices-one-stopped': await this.stage.workflow(id),
      'instance-stopped-at-work': modelInstanceWorkflowId(atWork!),
      'instance-stopped-while-warm': modelInstanceWorkflowId(warm),
    };
  }

  /** The model was changed: its warm instance makes room for one of the new revision. */
  async revised(): Promise<ToldStories> {
    const before = await this.stage.submit('replay-revised', 2);
    await this.stage.finished(before);
    await this.stage.hub.rows(`update model set revision = revision + 1 where id = 'replay-revised'`);
    const after = await this.stage.submit('replay-revised', 2);
    await this.stage.finished(after);
    return {
      'instance-outdated': await this.stage.instance(before),
      'request-after-a-change-of-its-model': await this.stage.workflow(after),
    };
  }

  /** Its workflow is ended by hand; the leader gives the request a new run. */
  async endedByHand(end: (workflowId: string) => Promise<void>): Promise<ToldStories> {
    const id = await this.stage.submit('replay-two-places', 2500);
    await this.stage.inState(id, 'PROCESSING');
    await sleep(300);
    const first = await this.stage.workflow(id);
    await end(first);
    await this.stage.finished(id);
    return {
      'request-ended-by-hand': first,
      'request-run-again': await this.stage.workflow(id),
    };
  }
}
