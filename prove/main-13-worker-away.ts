import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '../hosts/local/proc-files.js';
import { HubClient } from '../test/support/hub-client.js';
import { checkQuietAndStop } from './check-quiet.js';
import { checkRequests, claimAllFinish } from './check-requests.js';
import { kill } from './kill-targets.js';
import { type Proof, type ProofContext, seededRandom } from './proof.js';
import { type ProofHub, startProofHub } from './proof-hub.js';
import { expectedOfCounter, learnReference, molecules } from './reference.js';
import { chains, claimAccepted, SteadyLoad } from './steady-load.js';

/** A worker that was told to stop leaves work for `afterDeployMs`, in which a stall would show. */
const sizes = {
  full: { awaySeconds: 300, deploys: 5, afterDeployMs: 12_000 },
  small: { awaySeconds: 3, deploys: 1, afterDeployMs: 5_000 },
} as const;
type Size = (typeof sizes)[keyof typeof sizes];
const acceptWithinMs = 1000;
const stallSeconds = 10;
const finishWithinMs = 60_000;

/** Without any worker the hub goes on accepting; and one that is replaced under load holds nothing up. */
export const workerAway: Proof = {
  name: 'main-13',
  title: 'no worker for five minutes, and workers told to stop under load',
  async run(context) {
    const hub = await startProofHub({
      models: [{ id: 'good-counter', env: { MODE: 'good', ROW_DELAY_MS: '1' } }],
      environment: { MAX_CONCURRENT_MODEL_INSTANCES: '8' },
    });
    try {
      await new WorkerAway(hub, context, await HubClient.asGuest(hub.stack.url)).run();
    } finally {
      await hub.stop();
    }
  },
};

class WorkerAway {
  readonly #loads: SteadyLoad[] = [];
  readonly #random: () => number;

  constructor(
    private readonly hub: ProofHub,
    private readonly context: ProofContext,
    private readonly client: HubClient,
  ) {
    this.#random = seededRandom(context.seed);
  }

  async run(): Promise<void> {
    const physchem = await learnReference(this.client, 'eos-physchem');
    const size = sizes[this.context.small ? 'small' : 'full'];
    // First: a supervisor starts what dies again and again ever later.
    await this.#deploy(size);
    await this.#noWorker(size.awaySeconds);
    const accepted = this.#loads.flatMap((load) => load.accepted);
    const expectations = { 'eos-physchem': physchem, 'good-counter': expectedOfCounter };
    await checkRequests(this.hub, this.client, accepted, expectations, this.context);
    await checkQuietAndStop(this.hub, this.context);
  }

  #load(perSecond: number): SteadyLoad {
    const load = new SteadyLoad(this.client, perSecond, () =>
      this.#random() < 0.1
        ? { modelId: 'good-counter', entries: chains(1500) }
        : { modelId: 'eos-physchem', entries: molecules },
    );
    this.#loads.push(load);
    return load;
  }

  /** Every worker that the supervisor starts is killed before it can do much. */
  async #noWorker(seconds: number): Promise<void> {
    const { claim } = this.context;
    const load = this.#load(2);
    const until = Date.now() + seconds * 1000;
    let listed = 0;
    for (; Date.now() < until; listed += 1) {
      await kill(this.hub, 'worker', () => 0);
      const list = await this.client.fetch('/api/work-requests?limit=1');
      if (!list.ok) break;
      await list.arrayBuffer();
      await sleep(250);
    }
    await load.stop();
    claim(
      `${seconds} s without a worker: none is refused`,
      load.refused.size === 0,
      [...load.refused].join(' '),
    );
    claimAccepted(load, this.context, `${seconds} s without a worker:`, acceptWithinMs);
    claim(`${seconds} s without a worker: requests can be listed`, Date.now() >= until, `${listed} times`);
    // What came in meanwhile is worked off no slower than it came.
    await this.#allFinish(`${seconds} s without a worker`, Math.max(finishWithinMs, seconds * 1000));
  }

  /** A worker that is told to stop hands over what it has in hand; the supervisor starts the next one. */
  async #deploy({ deploys, afterDeployMs }: Size): Promise<void> {
    const load = this.#load(5);
    await sleep(1500);
    const inFlight: number[] = [];
    const from = Date.now();
    for (let deploy = 0; deploy < deploys; deploy += 1) {
      const [row] = await this.hub.rows<{ count: number }>(
        `select count(*)::int as count from work_request where state = 'PROCESSING'`,
      );
      inFlight.push(row!.count);
      sendSignal(this.hub.stack.processes.worker!, 'SIGTERM');
      await sleep(afterDeployMs);
    }
    const stalled = await this.#longestStall(from, Date.now());
    await load.stop();
    const { claim, say } = this.context;
    say('requests in work when a worker was told to stop', inFlight.join(' '));
    claim(
      `no stall of ${stallSeconds} s when a worker is told to stop`,
      stalled < stallSeconds,
      `${stalled.toFixed(1)} s`,
    );
    await this.#allFinish('workers told to stop', finishWithinMs);
  }

  /** The longest time in which no request was completed, in seconds. */
  async #longestStall(fromMs: number, toMs: number): Promise<number> {
    const [row] = await this.hub.rows<{ stall: number }>(
      `select max(extract(epoch from next - at))::float8 as stall from (
         select at, lead(at) over (order by at) as next from (
           select processed_at as at from work_request where state = 'COMPLETED' and processed_at between $1 and $2
            union all values ($1::timestamptz), ($2::timestamptz)) moments) gaps`,
      [new Date(fromMs).toISOString(), new Date(toMs).toISOString()],
    );
    return row!.stall;
  }

  #allFinish(after: string, withinMs: number): Promise<void> {
    const limits = { sinceMs: Date.now(), withinMs };
    return claimAllFinish(this.hub, this.context, `all finish within ${withinMs / 1000} s: ${after}`, limits);
  }
}
