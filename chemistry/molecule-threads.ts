import { Piscina } from 'piscina';
import type { ThreadTask } from './thread-task.js';

/** Rows given to a thread at once: less than 0.1 s of work, so that a short request waits little behind a long one. */
const rowsPerPiece = 100;
/** A molecule takes 1 ms, the largest allowed ones 1 s; whoever is not done after this is tried again alone. */
const defaultDeadlineMs = 1500;
/** Alone a molecule gets longer: the first time the machine may just have been busy. */
const deadlineFactorAlone = 2;
/** How often a thread may die before its first row until the pool is given up. */
const startsPerPiece = 3;
/** JavaScript memory of a thread, RDKit's own apart. Without the second limit garbage alone takes 100 MB. */
const threadHeap = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 12 };

export interface MoleculeThreadsOptions {
  /** File whose exported functions take a `ThreadTask`, as `threadFile` names it. */
  readonly file: string;
  readonly threads: number;
  /** Handed to every thread as `workerData`. */
  readonly workerData?: unknown;
  readonly deadlineMs?: number;
  /** Told when a thread was lost and why, without the molecule; by default a process warning. */
  readonly onLoss?: (message: string) => void;
}

/** Which exported function of the thread's file answers, and what it is told besides the rows. */
export interface Question {
  readonly name: string;
  readonly extra?: object;
}

type Attempt<Answer> =
  { readonly answers: readonly Answer[] } | { readonly lostAt: number; readonly because: string };

/** Tells by a signal when one row has been worked on for longer than the deadline (twice, at most). */
function watchRows(progress: Int32Array, deadlineMs: number): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  let seen = 0;
  const timer = setInterval(() => {
    const at = Atomics.load(progress, 0);
    if (at > 0 && at === seen) controller.abort();
    seen = at;
  }, deadlineMs);
  return { signal: controller.signal, stop: () => clearInterval(timer) };
}

/**
 * Threads that answer rows of molecules, started at first use. A row that kills its thread or never ends costs
 * itself only: the thread is replaced, the rows around it are answered, and it gets the answer for lost rows after
 * it failed alone as well.
 */
export class MoleculeThreads {
  readonly #options: Required<MoleculeThreadsOptions>;
  #pool: Piscina | null = null;
  #closed = false;

  constructor(options: MoleculeThreadsOptions) {
    this.#options = {
      workerData: null,
      deadlineMs: defaultDeadlineMs,
      onLoss: (message) => process.emitWarning(message, 'MoleculeThreadWarning'),
      ...options,
    };
  }

  /**
   * One answer per text, in order. An abort is felt between pieces.
   * @throws Error when no thread can be started, after `close`, or the signal's reason.
   */
  async answer<Answer>(
    question: Question,
    texts: readonly string[],
    forLost: Answer,
    signal?: AbortSignal,
  ): Promise<Answer[]> {
    const rowsPerTurn = rowsPerPiece * this.#options.threads;
    const answers: Answer[] = [];
    for (let first = 0; first < texts.length; first += rowsPerTurn) {
      signal?.throwIfAborted();
      const pieces = cut(texts.slice(first, first + rowsPerTurn), rowsPerPiece);
      const answered = await Promise.all(pieces.map((piece) => this.#piece(question, piece, forLost)));
      for (const piece of answered) answers.push(...piece);
    }
    signal?.throwIfAborted();
    return answers;
  }

  /** Starts the threads, so that the first question is quick. */
  async warmUp(question: Question): Promise<void> {
    await Promise.all(
      Array.from({ length: this.#options.threads }, () => this.#piece(question, ['C'], null)),
    );
  }

  /** Ends all threads; calls still running are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#renew();
  }

  async #piece<Answer>(
    question: Question,
    texts: readonly string[],
    forLost: Answer,
  ): Promise<readonly Answer[]> {
    if (texts.length === 0) return [];
    const attempt = await this.#attempt<Answer>(question, texts, this.#options.deadlineMs);
    if ('answers' in attempt) return attempt.answers;
    const { lostAt } = attempt;
    const before = await this.#piece(question, texts.slice(0, lostAt), forLost);
    const alone = await this.#alone(question, texts[lostAt] ?? '', forLost);
    const after = await this.#piece(question, texts.slice(lostAt + 1), forLost);
    return [...before, alone, ...after];
  }

  async #alone<Answer>(question: Question, text: string, forLost: Answer): Promise<Answer> {
    const deadlineMs = this.#options.deadlineMs * deadlineFactorAlone;
    const attempt = await this.#attempt<Answer>(question, [text], deadlineMs);
    if ('answers' in attempt) return attempt.answers[0] ?? forLost;
    this.#options.onLoss(`gave up ${question.name} of ${text.length} characters: ${attempt.because}`);
    return forLost;
  }

  async #attempt<Answer>(
    question: Question,
    texts: readonly string[],
    deadlineMs: number,
    startsLeft = startsPerPiece,
  ): Promise<Attempt<Answer>> {
    const progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const watch = watchRows(progress, deadlineMs);
    const task: ThreadTask = { ...question.extra, texts, progress };
    try {
      const run = this.#threads().run(task, { name: question.name, signal: watch.signal });
      return { answers: (await run) as Answer[] };
    } catch (error) {
      if (this.#closed) throw new Error(`could not ${question.name} molecules: closed`, { cause: error });
      const lostRow = Atomics.load(progress, 0);
      if (lostRow > 0) return { lostAt: lostRow - 1, because: whyLost(error, watch.signal, deadlineMs) };
      await this.#renew();
      if (startsLeft > 1) return await this.#attempt(question, texts, deadlineMs, startsLeft - 1);
      throw new Error(`could not ${question.name} molecules: ${this.#options.file} does not run`, {
        cause: error,
      });
    } finally {
      watch.stop();
    }
  }

  async #renew(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    await pool?.destroy();
  }

  #threads(): Piscina {
    if (this.#closed) throw new Error('asked after close()');
    if (this.#pool) return this.#pool;
    const { file, threads, workerData, onLoss } = this.#options;
    this.#pool = new Piscina({
      filename: file,
      workerData,
      minThreads: threads,
      maxThreads: threads,
      recordTiming: false,
      resourceLimits: threadHeap,
    });
    this.#pool.on('error', (error: Error) =>
      onLoss(`an idle thread died and was replaced: ${error.message}`),
    );
    return this.#pool;
  }
}

function cut<Item>(items: readonly Item[], size: number): (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) =>
    items.slice(n * size, (n + 1) * size),
  );
}

function whyLost(error: unknown, signal: AbortSignal, deadlineMs: number): string {
  if (signal.aborted) return `not done after ${deadlineMs} ms`;
  return `it ended its thread: ${error instanceof Error ? error.message : String(error)}`;
}
