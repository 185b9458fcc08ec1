import { countAttemptAgain, storeJobId, takeBackAttempt } from '../../db/queries/shard-attempts.js';
import type { ShardPlace, TakenShard } from '../../db/queries/shards.js';
import type { ActivityDependencies } from '../dependencies.js';

/** A shard taken this often was never finished by anyone: it may be what kills them. */
const MOST_SHARD_ATTEMPTS = 12;
/** Whoever dies of a shard dies while it is read or answered for, not after so long of waiting. */
const WAITING_MS = 5_000;

/**
 * A shard in hand, and the attempt that taking it counted. The attempts are there to find shards that kill the hub's
 * own processes; one that ends while a shard only waits, for its turn or for the model, was ended by something else.
 * So the attempt is taken back after a while of waiting, and counted again before the answer is looked at.
 */
export class ShardAttempt {
  #timer: NodeJS.Timeout | undefined;
  #takenBack: Promise<void> | null = null;
  #over = false;
  #jobId: string | null;

  constructor(
    private readonly deps: Pick<ActivityDependencies, 'database' | 'log'>,
    private readonly place: ShardPlace,
    readonly shard: TakenShard,
  ) {
    this.#jobId = shard.job_id;
  }

  /** True when the shard is given up instead of being tried once more. */
  get isOneTooMany(): boolean {
    return this.shard.attempt > MOST_SHARD_ATTEMPTS;
  }

  /** The shard is read: from now on it waits. */
  startWaiting(): void {
    if (this.#over) return;
    this.#timer = setTimeout(() => void (this.#takenBack ??= this.#takeBack()), WAITING_MS);
  }

  /** The model's job for this shard, if one was submitted under this lease: to be asked for, not submitted again. */
  get jobId(): string | null {
    return this.#jobId;
  }

  /** Stores the id of the model's job, and with it that the shard waits for the model. */
  async rememberJob(jobId: string): Promise<void> {
    await this.#takenBack;
    await storeJobId(this.deps.database, this.place, this.shard, jobId);
    this.#jobId = jobId;
    this.#takenBack = Promise.resolve();
  }

  /** To be called before an answer is looked at: whoever dies from here on may die of it. */
  async stopWaiting(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#takenBack === null) return;
    await this.#takenBack;
    await countAttemptAgain(this.deps.database, this.place, this.shard);
    this.#takenBack = null;
  }

  /** The shard is out of hand. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  async #takeBack(): Promise<void> {
    try {
      await takeBackAttempt(this.deps.database, this.place, this.shard);
    } catch (error) {
      this.deps.log.warn('the attempt of a shard that waits could not be taken back; it stays counted', {
        request: this.place.requestId,
        shard: this.shard.shard_no,
        error: (error as Error).message,
      });
    }
  }
}
