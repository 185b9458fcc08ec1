import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '../../hosts/local/proc-files.js';
import { modelServersOf } from '../../prove/left-over.js';
import type { ProofHub, TestModel } from '../../prove/proof-hub.js';
import { chains } from '../../prove/steady-load.js';
import type { HubClient } from '../support/hub-client.js';
import { workRequestWorkflowId } from '../../workflows/process-work-request.messages.js';
import { modelInstanceWorkflowId } from '../../workflows/run-model-instance.messages.js';

/** Which workflow tells which story. */
export type ToldStories = Readonly<Record<string, string>>;

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

const finishWithinMs = 60_000;

/** Runs every story on a real hub and says which workflow told it. */
export class StoryTeller {
  constructor(
    private readonly hub: ProofHub,
    private readonly client: HubClient,
  ) {}

  async shortPath(): Promise<ToldStories> {
    const cold = await this.#submit('replay-short', 1);
    await this.#finished(cold);
    for (let calls = 0; calls < 4; calls += 1) await this.#finished(await this.#submit('replay-short', 2));
    const warm = await this.#submit('replay-short', 3);
    await this.#finished(warm);
    return {
      'request-first': await this.#workflow(cold),
      'request-short-path': await this.#workflow(warm),
      'instance-idle-end': await this.#instance(warm),
    };
  }

  /** One place, three requests: the first works, the second waits its turn, the third is cancelled while it waits. */
  async waiting(): Promise<ToldStories> {
    const first = await this.#submit('replay-one-place', 1000);
    await this.#inState(first, 'PROCESSING');
    const second = await this.#submit('replay-one-place', 10);
    const third = await this.#submit('replay-one-place', 10);
    await this.#inState(third, 'SCHEDULING');
    await sleep(500);
    await this.client.cancel(third);
    await this.#finished(second);
    return {
      'request-waited-then-granted': await this.#workflow(second),
      'request-cancelled-while-waiting': await this.#workflow(third),
    };
  }

  /** The hub knows how quick the model is, so what waited is short once its turn comes. */
  async waitingForShortWork(): Promise<ToldStories> {
    for (let calls = 0; calls < 4; calls += 1)
      await this.#finished(await this.#submit('replay-known-speed', 10));
    const first = await this.#submit('replay-known-speed', 1000);
    await this.#inState(first, 'PROCESSING');
    const second = await this.#submit('replay-known-speed', 10);
    await this.#finished(second);
    return { 'request-waited-then-short-path': await this.#workflow(second) };
  }

  async cancelledWhileRunning(): Promise<ToldStories> {
    const request = await this.#submit('replay-running', 1000);
    await this.#inState(request, 'PROCESSING');
    await sleep(300);
    await this.client.cancel(request);
    return {
      'request-cancelled-while-running': await this.#workflow(request),
      'instance-stopped': await this.#instance(request),
    };
  }

  async slices(): Promise<ToldStories> {
    const request = await this.#submit('replay-slices', 3000);
    await this.#finished(request);
    return { 'request-several-slices': await this.#workflow(request) };
  }

  async outOfMemory(): Promise<ToldStories> {
    const request = await this.#submit('replay-eats', 5);
    await this.#finished(request);
    return {
      'request-out-of-memory-healed': await this.#workflow(request),
      'instance-out-of-memory': await this.#instance(request),
    };
  }

  /** Its model server is killed; told alone, so that no other's is. */
  async lost(): Promise<ToldStories> {
    const request = await this.#submit('replay-killed', 1000);
    await this.#inState(request, 'PROCESSING');
    await sleep(300);
    const before = await this.#instance(request);
    for (const pid of modelServersOf(this.hub.stack.processes['local-host']!)) sendSignal(pid, 'SIGKILL');
    await this.#finished(request);
    return { 'request-instance-lost': await this.#workflow(request), 'instance-killed': before };
  }

  async failing(): Promise<ToldStories> {
    const [refused, neverReady, html] = await Promise.all([
      this.#submit(refusedModel, 1),
      this.#submit('replay-never-ready', 1),
      this.#submit('replay-html', 1),
    ]);
    await Promise.all([refused, neverReady, html].map((id) => this.#finished(id)));
    return {
      'request-refused': await this.#workflow(refused),
      'instance-refused': await this.#instance(refused),
      'request-never-ready': await this.#workflow(neverReady),
      'instance-never-ready': await this.#instance(neverReady),
      'request-model-failed': await this.#workflow(html),
    };
  }

  async #submit(modelId: string, rows: number): Promise<number> {
    return (await this.client.submitEntries(modelId, chains(rows), false)).id;
  }

  async #finished(id: number): Promise<void> {
    await this.client.untilFinished(id, finishWithinMs, 50);
  }

  async #inState(id: number, state: string): Promise<void> {
    while ((await this.client.get(id)).request_status !== state) await sleep(50);
  }

  async #workflow(id: number): Promise<string> {
    const [row] = await this.hub.rows<{ run_key: string }>(`select run_key from work_request where id = $1`, [
      id,
    ]);
    return workRequestWorkflowId(id, row!.run_key);
  }

  /** The first instance that worked for the request. */
  async #instance(id: number): Promise<string> {
    const [lease] = await this.hub.rows<{ instance_id: string }>(
      `select instance_id from instance_lease where request_id = $1 and instance_id is not null
        order by granted_at limit 1`,
      [id],
    );
    return modelInstanceWorkflowId(lease!.instance_id);
  }
}
