import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Chemistry } from '../../chemistry/chemistry.js';
import { releaseLease } from '../../db/queries/leases.js';
import { makeInstance } from '../factories/make-instance.js';
import { makeLease } from '../factories/make-lease.js';
import { makeModel, type MadeModel } from '../factories/make-model.js';
import { makeRequest, type MadeRequest } from '../factories/make-request.js';
import { startInlineModel, type InlineModel } from '../support/inline-model.js';
import { openPlayedWorker, PlayedWorker } from '../support/played-worker.js';
import { describeWith } from '../support/require-part.js';

/** One whose reading the test holds up until it lets the molecules go that a text stands for. */
class HeldChemistry {
  readonly begun: string[] = [];
  readonly #go = new Map<string, PromiseWithResolvers<void>>();

  constructor(private readonly chemistry: Chemistry) {}

  get held(): Chemistry {
    return {
      ...this.chemistry,
      identify: async (texts, signal) => {
        const first = texts[0]!;
        this.begun.push(first);
        await this.#gate(first).promise;
        return this.chemistry.identify(texts, signal);
      },
    };
  }

  letGo(...firsts: string[]): void {
    for (const first of firsts) this.#gate(first).resolve();
  }

  #gate(first: string): PromiseWithResolvers<void> {
    const gate = this.#go.get(first) ?? Promise.withResolvers<void>();
    this.#go.set(first, gate);
    return gate;
  }
}

const finished = { type: 'finished' };
const molecule = (size: number) => 'C'.repeat(size);
const long = (first: string) => Array.from({ length: 101 }, () => first);

describeWith('postgres')('the reading of shards', () => {
  let worker: PlayedWorker;
  let chemistry: HeldChemistry;
  let server: InlineModel;
  let model: MadeModel;

  beforeAll(async () => {
    const played = await openPlayedWorker();
    chemistry = new HeldChemistry(played.deps.chemistry);
    worker = new PlayedWorker({ ...played.deps, chemistry: chemistry.held }, played);
    model = await makeModel(worker.database);
    server = await startInlineModel(model.id);
  });
  afterAll(async () => {
    await server.close();
    await worker.close();
  });
  afterEach(() => {
    chemistry.begun.length = 0;
  });

  /** Starts work on a request of these rows; `left` times somebody began it before and did not finish it. */
  const start = async (shards: readonly (readonly string[])[], { left = 0 } = {}) => {
    const request = await makeRequest(worker.database, { modelId: model.id, state: 'SCHEDULING', shards });
    await worker.database.rows(`update work_request_shard set attempt = $2 where request_id = $1`, [
      request.requestId,
      left,
    ]);
    const instanceId = await makeInstance(worker.database, { modelId: model.id });
    worker.host.place(instanceId, model.id);
    worker.host.makeReady(instanceId, server.address);
    const place = await makeLease(worker.database, request, instanceId);
    const outcome = new MockActivityEnvironment().run(() => worker.activities.runLease(place.leaseToken));
    return { request, place, outcome };
  };
  const attemptOf = async ({ requestId }: MadeRequest) => {
    const [shard] = await worker.database.rows<{ state: string; attempt: number }>(
      `select state, attempt from work_request_shard where request_id = $1`,
      [requestId],
    );
    return shard!;
  };
  const until = async (condition: () => boolean | Promise<boolean>) => {
    while (!(await condition())) await sleep(10);
  };
  const untilReading = (first: string) => until(() => chemistry.begun.includes(first));
  /** Taken, and the attempt taken back that this counted. */
  const untilInLine = (request: MadeRequest, left = 0) =>
    until(async () => {
      const { state, attempt } = await attemptOf(request);
      return state === 'RUNNING' && attempt === left;
    });

  it('goes on with a long one only when the long one before it is read, and with short ones at once', async () => {
    const [first, second, short] = [molecule(11), molecule(12), molecule(13)];
    const one = await start([long(first)]);
    await untilReading(first);
    const other = await start([long(second)]);
    await untilInLine(other.request);
    const quick = await start([[short]]);
    chemistry.letGo(short);
    expect(await quick.outcome).toEqual(finished);
    expect(chemistry.begun).toEqual([first, short]);
    chemistry.letGo(first, second);
    expect(await Promise.all([one.outcome, other.outcome])).toEqual([finished, finished]);
    expect(chemistry.begun).toEqual([first, short, second]);
  });

  it('counts as an attempt only what was read: whoever waits for the turn is not suspected', async () => {
    const [first, second] = [molecule(21), molecule(22)];
    const one = await start([long(first)]);
    await untilReading(first);
    const other = await start([long(second)]);
    await untilInLine(other.request);
    expect(await attemptOf(one.request)).toEqual({ state: 'RUNNING', attempt: 1 });
    chemistry.letGo(first);
    await untilReading(second);
    expect(await attemptOf(other.request)).toEqual({ state: 'RUNNING', attempt: 1 });
    chemistry.letGo(second);
    await Promise.all([one.outcome, other.outcome]);
    expect(await attemptOf(other.request)).toEqual({ state: 'DONE', attempt: 1 });
  });

  it('lets nobody wait behind one whose request was cancelled', async () => {
    const [first, second, third] = [molecule(31), molecule(32), molecule(33)];
    const one = await start([long(first)]);
    await untilReading(first);
    const cancelled = await start([long(second)]);
    await untilInLine(cancelled.request);
    const last = await start([long(third)]);
    await untilInLine(last.request);
    await worker.database.transaction((sql) =>
      releaseLease(sql, cancelled.place.leaseToken, { outcome: 'cancelled' }),
    );
    await worker.database.rows(`select pg_notify('hub_request', $1)`, [`${cancelled.request.requestId}:0`]);
    expect(await cancelled.outcome).toEqual({ type: 'ended' });
    chemistry.letGo(first, third);
    expect(await Promise.all([one.outcome, last.outcome])).toEqual([finished, finished]);
    expect(chemistry.begun).toEqual([first, third]);
  });

  it('takes one that somebody left unfinished in its turn however short it is', async () => {
    const [first, second] = [molecule(41), molecule(42)];
    const one = await start([long(first)]);
    await untilReading(first);
    const suspect = await start([[second]], { left: 3 });
    await untilInLine(suspect.request, 3);
    expect(chemistry.begun).toEqual([first]);
    chemistry.letGo(first, second);
    await Promise.all([one.outcome, suspect.outcome]);
    expect(await attemptOf(suspect.request)).toEqual({ state: 'DONE', attempt: 4 });
  });

  it('does not read again what was started twelve times and never finished', async () => {
    const given = await start([long(molecule(51))], { left: 12 });
    expect(await given.outcome).toMatchObject({
      type: 'failed',
      failure: { type: 'Infrastructure', message: expect.stringContaining('started 12 times') },
    });
    expect(chemistry.begun).toEqual([]);
  });
});
