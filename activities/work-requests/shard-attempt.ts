import { countAttemptAgain, storeJobId, takeBackAttempt } from '../../db/queries/shard-attempts.js';
import type { ShardPlace, TakenShard } from '../../db/queries/shards.js';
import { MOST_SHORT_ROWS } from '../../domain/work-request/small-path.js';
import type { ActivityDependencies } from '../dependencies.js';
import { ReadingLine } from './reading-line.js';

/** A shard taken this often was never finished by anyone: it may be what kills them. */
const MOST_SHARD_ATTEMPTS = 12;
/** Whoever dies of a shard dies while it is read or answered for, not after so long of waiting. */
const WAITING_MS = 5_000;
/**
 * Long shards are read one at a time. Side by side all of them would be done last, and a process that dies again and
 * again would never finish one; and it would take them all along, who are then suspected of having killed it. One line
 * for the process, because that is what a shard may kill.
 */
const readingLine = new ReadingLine();

/** A shard that is not tried once more. */
export class ShardGivenUpError extends Error {
  override readonly name = 'ShardGivenUpError';

  constructor(readonly shard: TakenShard) {
    super(`shard ${shard.shard_no} was started too often`);
  }
}

/**
 * A shard in hand, and the attempt that taking it counted. The attempts are there to find shards that kill the hub's
 * own processes; one that ends while a shard only waits, for its turn or for the model, was ended by something else.
 * So the attempt is taken back while it waits, and counted again before the answer is looked at: of a shard that nobody
 * left unfinished before only when it waits for long, to spare two writes.
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

  /**
   * Reads the shard when it is its turn; from then on it waits for the model.
   * @throws ShardGivenUpError before it is read, when it was started too often and never finished
   */
  async readInTurn<Prepared>(prepare: () => Promise<Prepared>, signal: AbortSignal): Promise<Prepared> {
    this.#refuseOneTooMany();
    const prepared = await (this.#needsTurn ? this.#inTurn(prepare, signal) : prepare());
    this.#startWaiting();
    return prepared;
  }

  /**
   * Reads a short shard whose model answers in a moment.
   * @throws ShardGivenUpError as above
   */
  async readAtOnce<Prepared>(prepare: () => Promise<Prepared>): Promise<Prepared> {
    this.#refuseOneTooMany();
    return prepare();
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

  #refuseOneTooMany(): void {
    if (this.shard.attempt > MOST_SHARD_ATTEMPTS) throw new ShardGivenUpError(this.shard);
  }

  /** Somebody began it and did not finish it. */
  get #wasLeft(): boolean {
    return this.shard.attempt > 1;
  }

  get #needsTurn(): boolean {
    return this.#wasLeft || this.shard.row_count > MOST_SHORT_ROWS;
  }

  async #inTurn<Prepared>(prepare: () => Promise<Prepared>, signal: AbortSignal): Promise<Prepared> {
    const turn = readingLine.enter(signal);
    if (turn) {
      this.#wait();
      await turn;
    }
    try {
      await this.stopWaiting();
      return await prepare();
    } finally {
      readingLine.leave();
    }
  }

  #startWaiting(): void {
    if (this.#over) return;
    if (this.#wasLeft) this.#wait();
    else this.#timer = setTimeout(() => this.#wait(), WAITING_MS);
  }

  #wait(): void {
    this.#takenBack ??= this.#takeBack();
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
