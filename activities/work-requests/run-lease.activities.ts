import { CancelledFailure, Context } from '@temporalio/activity';
import { nothingToTell, serveClaims } from '../../db/queries/claims.js';
import { inClaims } from '../../db/queries/claims-turn.js';
import { readLeasedWork, type LeasedWork } from '../../db/queries/leased-work.js';
import { isInForce, readLease, releaseLease, type LeaseFacts } from '../../db/queries/leases.js';
import { storeShard, takeShard } from '../../db/queries/shards.js';
import type { LeaseOutcome } from '../../domain/work-request/settle-attempt.js';
import type { ActivityDependencies } from '../dependencies.js';
import { ModelAnswerError } from '../model-server/model-reply.js';
import { ModelUnreachableError } from '../model-server/model-server.js';
import type { ProcessWorkRequestEffects } from '../process-work-request.effects.js';
import { sendHints } from '../send-hints.js';
import { beginLease } from './begin-lease.js';
import { computeShard, shardPlace } from './compute-and-store.js';
import { prepareShard, type PreparedShard } from './compute-shard.js';
import { withRetired } from './end-work-request.activities.js';
import { explainOver, outcomeOfFailure, outcomeOfStop } from './explain-stop.js';
import { guardLease, type LeaseGuard } from './lease-guard.js';
import { ShardAttempt } from './shard-attempt.js';

const HEARTBEAT_MS = 1_000;
/** After a cut connection the host is given this long to say that the server died. */
const DEATH_NOTICE_MS = 2_000;
/** A server that lives on but cuts the connection this often is at fault itself. */
const MOST_CUT_CONNECTIONS = 3;

/** The long work of a lease: wait until its instance answers, then shard by shard; the database is the checkpoint. */
export function createRunLease(deps: ActivityDependencies): Pick<ProcessWorkRequestEffects, 'runLease'> {
  return {
    async runLease(leaseToken) {
      const context = Context.current();
      const beating = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
      try {
        const lease = await readLeasedWork(deps.database, leaseToken);
        if (!lease || !isInForce(lease)) return { type: 'ended' };
        await acknowledge(deps, leaseToken);
        const outcome = await runGuarded(deps, lease, context.cancellationSignal);
        if (outcome.type === 'finished' && lease.shard_count > 1) await giveBackUnneeded(deps, lease);
        return outcome;
      } finally {
        clearInterval(beating);
      }
    },
  };
}

/** From now on the grant need not be told again. Whoever worked under it before computes no more. */
async function acknowledge({ database }: ActivityDependencies, leaseToken: string): Promise<void> {
  await database.rows(
    `update instance_lease set acknowledged_at = coalesce(acknowledged_at, clock_timestamp()), begun_at = null
      where lease_token = $1 and (acknowledged_at is null or begun_at is not null)`,
    [leaseToken],
  );
}

/** While others still work on the request's last shards, an instance without any is free for whoever waits. */
async function giveBackUnneeded(deps: ActivityDependencies, lease: LeaseFacts): Promise<void> {
  const hints = await inClaims(deps.database, 'giving back', async (sql) => {
    const others = await sql.rows(
      `select from work_request where id = $1 and run_key = $2 and shards_done < shard_count
          and state in ('SCHEDULING', 'PROCESSING')`,
      [lease.request_id, lease.run_key],
    );
    // Whoever stored the last shard completes the request, which gives its instance back in one go.
    if (others.length === 0) return nothingToTell;
    const told = await releaseLease(sql, lease.lease_token, { outcome: 'finished' });
    return withRetired(await serveClaims(sql, deps.settings), told ? [told] : []);
  });
  sendHints(deps, hints);
}

async function runGuarded(
  deps: ActivityDependencies,
  lease: LeasedWork,
  cancelled: AbortSignal,
): Promise<LeaseOutcome> {
  const guard = guardLease(deps, lease, cancelled);
  try {
    return await new LeaseRun(deps, lease, guard).run();
  } catch (error) {
    if (guard.cause === 'cancelled') throw new CancelledFailure('the work on this lease was cancelled');
    const stopped = outcomeOfStop(guard);
    if (stopped) return stopped;
    if (guard.cause === 'instance over') return await explainOver(deps, lease);
    const failed = outcomeOfFailure(error);
    if (failed) return failed;
    throw error;
  } finally {
    guard.close();
  }
}

class LeaseRun {
  #next: Promise<PreparedShard | null> | null = null;
  readonly #held = new Map<number, ShardAttempt>();

  constructor(
    private readonly deps: ActivityDependencies,
    private readonly lease: LeasedWork,
    private readonly guard: LeaseGuard,
  ) {}

  async run(): Promise<LeaseOutcome> {
    // Read while the instance starts; a further instance must not hold shards that the first one could compute.
    if (this.lease.slice === 0) this.#next = this.#prepareNext();
    const address = await this.guard.untilReady();
    const begun = beginLease(this.deps, this.lease, address, this.guard.signal);
    try {
      return await this.#computeAll(address, begun);
    } finally {
      // Whatever comes next must not be overtaken by what was begun here.
      for (const attempt of this.#held.values()) attempt.end();
      await Promise.allSettled([begun]);
    }
  }

  async #computeAll(address: string, begun: Promise<void>): Promise<LeaseOutcome> {
    this.#next ??= this.#prepareNext();
    for (let shard = await this.#next; shard; shard = await this.#next) {
      // The next shard's molecules are read while the model works on this one.
      this.#next = this.#prepareNext();
      if (!(await this.#computeAndStore(shard, address, begun))) return { type: 'ended' };
    }
    return { type: 'finished' };
  }

  /** Takes and reads the next shard; a failure is kept until the shard is asked for. */
  #prepareNext(): Promise<PreparedShard | null> {
    const next = this.#takeAndPrepare();
    next.catch(() => undefined);
    return next;
  }

  async #takeAndPrepare(): Promise<PreparedShard | null> {
    const place = shardPlace(this.lease);
    const shard = await takeShard(this.deps.database, place, [...this.#held.keys()]);
    if (!shard) return null;
    const attempt = new ShardAttempt(this.deps, place, shard);
    this.#held.set(shard.shard_no, attempt);
    const { signal } = this.guard;
    const prepare = () => prepareShard(this.deps.chemistry, this.lease, attempt, signal);
    return attempt.readInTurn(prepare, signal);
  }

  /** @returns whether there is any point in the next shard */
  async #computeAndStore(prepared: PreparedShard, address: string, begun: Promise<void>): Promise<boolean> {
    const computed = await this.#computeAgainIfCut(prepared, address);
    await begun;
    const stored = await this.deps.database.transaction((sql) =>
      storeShard(sql, shardPlace(this.lease), computed),
    );
    prepared.attempt.end();
    this.#held.delete(prepared.attempt.shard.shard_no);
    return stored || this.#goesOn();
  }

  /** A shard may be refused because an earlier try of this same work stored it; the lease says whether to go on. */
  async #goesOn(): Promise<boolean> {
    const now = await readLease(this.deps.database, this.lease.lease_token);
    return now !== null && isInForce(now);
  }

  async #computeAgainIfCut(prepared: PreparedShard, address: string) {
    for (let cuts = 1; ; cuts += 1) {
      try {
        return await computeShard(this.deps, this.lease, prepared, address, this.guard.signal);
      } catch (error) {
        if (!(error instanceof ModelUnreachableError) || this.guard.signal.aborted) throw error;
        await this.guard.untilOver(DEATH_NOTICE_MS);
        if (this.guard.signal.aborted) throw error;
        if (this.deps.instances.current && cuts >= MOST_CUT_CONNECTIONS) {
          throw new ModelAnswerError(
            `The model closed the connection before its answer was complete, ${cuts} times.`,
          );
        }
      }
    }
  }
}
