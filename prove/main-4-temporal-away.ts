import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { sendSignal } from '../hosts/local/proc-files.js';
import { HubClient } from '../test/support/hub-client.js';
import { waitUntil } from '../test/support/wait-until.js';
import { workRequestWorkflowId } from '../workflows/process-work-request.messages.js';
import { modelInstanceWorkflowId } from '../workflows/run-model-instance.messages.js';
import { checkQuietAndStop } from './check-quiet.js';
import { checkRequests, claimAllFinish } from './check-requests.js';
import { kill } from './kill-targets.js';
import type { Proof, ProofContext } from './proof.js';
import { type ProofHub, startProofHub } from './proof-hub.js';
import { expectedOfCounter, learnReference, molecules } from './reference.js';
import { type AcceptedRequest, chains, claimAccepted, SteadyLoad, submitOne } from './steady-load.js';

const acceptWithinMs = 1000;
/** Two looks of the reconciler. */
const instancesAgainWithinMs = 30_000;
const finishWithinMs = 60_000;

/** Temporal only orders the work: requests are accepted without it and outlive its memory. */
export const main4TemporalAway: Proof = {
  name: 'main-4',
  title: 'Temporal away while submitting, its file deleted, workflows terminated by hand',
  async run(context) {
    const hub = await startProofHub({
      models: [{ id: 'good-counter', env: { MODE: 'good', ROW_DELAY_MS: '3' }, maxInstances: 4 }],
      environment: { MAX_CONCURRENT_MODEL_INSTANCES: '8' },
    });
    try {
      await new TemporalAway(hub, context, await HubClient.asGuest(hub.stack.url)).run();
    } finally {
      await hub.stop();
    }
  },
};

class TemporalAway {
  readonly #accepted: AcceptedRequest[] = [];

  constructor(
    private readonly hub: ProofHub,
    private readonly context: ProofContext,
    private readonly client: HubClient,
  ) {}

  async run(): Promise<void> {
    const physchem = await learnReference(this.client, 'eos-physchem');
    const { small } = this.context;
    await this.#submitWhile('frozen', () => this.#freeze(small ? 4000 : 20_000));
    if (!small) await this.#submitWhile('killed again and again', () => this.#killRepeatedly(12_000));
    await this.#deleteItsFile();
    await this.#terminateByHand();
    const expectations = { 'eos-physchem': physchem, 'good-counter': expectedOfCounter };
    await checkRequests(this.hub, this.client, this.#accepted, expectations, this.context);
    await checkQuietAndStop(this.hub, this.context);
  }

  /** Sends two requests per second while Temporal is away; each must be accepted at once and end once it is back. */
  async #submitWhile(how: string, away: () => Promise<void>): Promise<void> {
    const load = new SteadyLoad(this.client, 2, () => ({ modelId: 'eos-physchem', entries: molecules }));
    await away();
    await load.stop();
    this.#accepted.push(...load.accepted);
    const { claim } = this.context;
    claim(`with Temporal ${how} none is refused`, load.refused.size === 0, [...load.refused].join(' '));
    claimAccepted(load, this.context, `with Temporal ${how}`, acceptWithinMs);
    await this.#allFinish(`Temporal ${how}`, Date.now());
  }

  async #freeze(ms: number): Promise<void> {
    const pid = this.hub.stack.processes.temporal!;
    sendSignal(pid, 'SIGSTOP');
    await sleep(ms);
    sendSignal(pid, 'SIGCONT');
  }

  async #killRepeatedly(ms: number): Promise<void> {
    const until = Date.now() + ms;
    let kills = 0;
    for (; Date.now() < until; kills += 1) {
      await kill(this.hub, 'temporal', () => 0);
      await sleep(300);
    }
    this.context.say('Temporal was killed', `${kills} times`);
  }

  async #deleteItsFile(): Promise<void> {
    await this.#startLongOnes();
    for (const ending of ['', '-wal', '-shm'])
      rmSync(join(this.hub.stack.dataDir, 'temporal', `temporal.db${ending}`), { force: true });
    const deletedAt = (await kill(this.hub, 'temporal', () => 0)) ?? Date.now();
    await this.#allFinish("Temporal's file deleted while requests run", deletedAt);
  }

  /** A request's workflow, and the workflow of an instance that works. */
  async #terminateByHand(): Promise<void> {
    await this.#untilInstancesHaveWorkflows();
    const [request] = await this.#startLongOnes();
    const [run] = await this.hub.rows<{ run_key: string; instance_id: string }>(
      `select r.run_key, l.instance_id from work_request r
         join instance_lease l on l.request_id <> r.id and l.state = 'GRANTED'
         join model_instance i on i.id = l.instance_id and i.state = 'ACTIVE' where r.id = $1 limit 1`,
      [request!.id],
    );
    const ids = [workRequestWorkflowId(request!.id, run!.run_key), modelInstanceWorkflowId(run!.instance_id)];
    await this.#withWorkflows(async (workflow) => {
      for (const id of ids) await workflow.getHandle(id).terminate('by hand');
    });
    await this.#allFinish('two workflows terminated by hand', Date.now());
    const [now] = await this.hub.rows<{ run_key: string }>(`select run_key from work_request where id = $1`, [
      request!.id,
    ]);
    this.context.claim('the terminated run was fenced off by a new one', now!.run_key !== run!.run_key);
  }

  /** The requests are done before the hub's next look finds that instances have lost theirs with Temporal's file. */
  async #untilInstancesHaveWorkflows(): Promise<void> {
    const lostAt = Date.now();
    const left = await this.#withWorkflows(async (workflow) => {
      let missing = await this.#countMissing(workflow);
      while (missing > 0 && Date.now() - lostAt < instancesAgainWithinMs) {
        await sleep(200);
        missing = await this.#countMissing(workflow);
      }
      return missing;
    });
    this.context.claim(
      'every live instance has a workflow again within 30 s',
      left === 0,
      `${((Date.now() - lostAt) / 1000).toFixed(1)} s`,
    );
  }

  /** How many live instances have no running workflow. */
  async #countMissing(workflow: Client['workflow']): Promise<number> {
    const live = await this.hub.rows<{ id: string }>(
      `select id from model_instance where state <> 'TERMINATED'`,
    );
    const running = await Promise.all(live.map(({ id }) => isRunning(workflow, modelInstanceWorkflowId(id))));
    return running.filter((runs) => !runs).length;
  }

  async #withWorkflows<Result>(use: (workflow: Client['workflow']) => Promise<Result>): Promise<Result> {
    const connection = await Connection.connect({ address: this.hub.stack.temporalAddress });
    try {
      return await use(new Client({ connection }).workflow);
    } finally {
      await connection.close();
    }
  }

  /** Requests of several seconds each, all with an instance at work. */
  async #startLongOnes(): Promise<AcceptedRequest[]> {
    const started: AcceptedRequest[] = [];
    for (let index = 0; index < 2; index += 1)
      started.push(await submitOne(this.client, { modelId: 'good-counter', entries: chains(4000) }));
    this.#accepted.push(...started);
    const ids = started.map(({ id }) => id);
    let seen = '';
    const allWork = async () => {
      const rows = await this.hub.rows<{ state: string }>(
        `select state from work_request where id = any($1) order by id`,
        [ids],
      );
      seen = rows.map(({ state }) => state).join(' ');
      return rows.every(({ state }) => state === 'PROCESSING') || undefined;
    };
    await waitUntil('all long requests to be in work', allWork, {
      withinMs: finishWithinMs,
      everyMs: 100,
      describe: () => seen,
    });
    return started;
  }

  #allFinish(after: string, sinceMs: number): Promise<void> {
    const limits = { sinceMs, withinMs: finishWithinMs };
    return claimAllFinish(this.hub, this.context, `all finish within 60 s: ${after}`, limits);
  }
}

async function isRunning(workflow: Client['workflow'], id: string): Promise<boolean> {
  try {
    const { status } = await workflow.getHandle(id).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
