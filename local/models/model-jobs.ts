import { randomUUID } from 'node:crypto';
import { recordChunks, type ComputeRecords } from './records.js';

export const jobStatuses = ['pending', 'completed', 'failed'] as const;
export type JobStatus = (typeof jobStatuses)[number];

export interface Job {
  readonly id: string;
  status: JobStatus;
  /** Why it failed. */
  message: string;
  result: readonly Buffer[];
  resultBytes: number;
}

export interface JobLimits {
  readonly unfinishedJobs: number;
  /** Results kept altogether; the oldest finished ones go first. */
  readonly resultBytes: number;
  /** How long a finished job can be asked for. */
  readonly keptMs: number;
}

export const jobLimits: JobLimits = {
  unfinishedJobs: 32,
  resultBytes: 128 * 1024 * 1024,
  keptMs: 15 * 60 * 1000,
};

/** Jobs of one model server: in its memory only, bounded in number, bytes and time. */
export class ModelJobs {
  readonly #jobs = new Map<string, Job>();
  readonly #ended = new AbortController();

  constructor(
    private readonly compute: ComputeRecords,
    private readonly limits: JobLimits = jobLimits,
  ) {}

  /** Starts computing; null when too many jobs are unfinished. */
  submit(texts: readonly string[]): Job | null {
    const unfinished = [...this.#jobs.values()].filter(({ status }) => status === 'pending').length;
    if (unfinished >= this.limits.unfinishedJobs) return null;
    const job: Job = { id: randomUUID(), status: 'pending', message: '', result: [], resultBytes: 0 };
    this.#jobs.set(job.id, job);
    void this.#run(job, texts);
    return job;
  }

  find(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Stops what is being computed. */
  close(): void {
    this.#ended.abort(new Error('the model server stops'));
  }

  async #run(job: Job, texts: readonly string[]): Promise<void> {
    const result: Buffer[] = [];
    try {
      for await (const chunk of recordChunks(texts, this.compute, this.#ended.signal)) {
        const bytes = Buffer.from(chunk);
        result.push(bytes);
        job.resultBytes += bytes.length;
        this.#makeRoom(job);
      }
      job.result = result;
      job.status = 'completed';
    } catch (error) {
      job.resultBytes = 0;
      job.status = 'failed';
      job.message = error instanceof Error ? error.message : String(error);
      console.error(`job ${job.id} of ${texts.length} rows failed: ${job.message}`);
    }
    setTimeout(() => this.#jobs.delete(job.id), this.limits.keptMs).unref();
  }

  /** @throws Error when the running job's result alone is larger than all that is kept. */
  #makeRoom(running: Job): void {
    for (const job of this.#jobs.values()) {
      if (this.#keptBytes() <= this.limits.resultBytes) return;
      if (job.status === 'completed') this.#jobs.delete(job.id);
    }
    if (this.#keptBytes() <= this.limits.resultBytes) return;
    throw new Error(
      `the results of all jobs together exceed ${this.limits.resultBytes} bytes while job ${running.id} is computed; submit fewer rows at a time`,
    );
  }

  #keptBytes(): number {
    return [...this.#jobs.values()].reduce((sum, { resultBytes }) => sum + resultBytes, 0);
  }
}
