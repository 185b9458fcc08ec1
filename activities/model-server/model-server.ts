import { Agent, request } from 'undici';

import { ModelAnswerError, parseReply, readBounded, versionIn, type Reply } from './model-reply.js';

/** No answer came through: the server may be gone, which its host knows better. */
export class ModelUnreachableError extends Error {
  override readonly name = 'ModelUnreachableError';
}

/** Limits of one call to a model server. */
export interface ModelServerLimits {
  readonly runTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly maxReplyBytes: number;
}

/** A job as its server says; any other word counts as pending. */
export type JobStatus = 'pending' | 'completed' | 'failed';

/** Something to do between an answer's arrival and its reading. */
export type BeforeReading = () => Promise<void>;

/** Speaks the container protocol with one instance. Redirects are not followed, replies are bounded. */
export interface ModelServer {
  /** What one call with rows may take, also when it is made as a job, ms. */
  readonly runTimeoutMs: number;
  /** The version the server states for this model, or null when it states none. */
  readVersion(address: string, modelId: string, signal: AbortSignal): Promise<string | null>;
  /** @param beforeReading awaited when the whole answer is there and before it is parsed; its error is passed on */
  run(
    address: string,
    inputs: readonly string[],
    signal: AbortSignal,
    beforeReading?: BeforeReading,
  ): Promise<unknown>;
  submitJob(address: string, inputs: readonly string[], signal: AbortSignal): Promise<string>;
  /** Null when the server knows no such job. */
  readJobStatus(address: string, jobId: string, signal: AbortSignal): Promise<JobStatus | null>;
  /** @param beforeReading as for `run` */
  readJobResult(
    address: string,
    jobId: string,
    signal: AbortSignal,
    beforeReading?: BeforeReading,
  ): Promise<unknown>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;

/** What the original hub always sends; models may depend on it. */
const runQuery =
  'orient=records&min_workers=1&max_workers=12&fetch_cache=False&save_cache=False&cache_only=False';

/** One connection pool for all instances of a worker. */
export function createModelServer(limits: ModelServerLimits): ModelServer {
  return new HttpModelServer(limits);
}

class HttpModelServer implements ModelServer {
  readonly #agent: Agent;

  readonly runTimeoutMs: number;

  constructor(private readonly limits: ModelServerLimits) {
    const { runTimeoutMs } = limits;
    this.runTimeoutMs = runTimeoutMs;
    this.#agent = new Agent({
      headersTimeout: runTimeoutMs,
      bodyTimeout: runTimeoutMs,
      connect: { timeout: CONNECT_TIMEOUT_MS },
    });
  }

  async readVersion(address: string, modelId: string, signal: AbortSignal): Promise<string | null> {
    const reply = await this.#get(
      'its version',
      address,
      '/models/status',
      this.limits.callTimeoutMs,
      signal,
    );
    return reply.status === 200 ? versionIn(reply.text, modelId) : null;
  }

  async run(
    address: string,
    inputs: readonly string[],
    signal: AbortSignal,
    beforeReading?: BeforeReading,
  ): Promise<unknown> {
    const reply = await this.#post('the run', address, '/run', inputs, signal);
    await beforeReading?.();
    return parseReply('the run', reply);
  }

  async submitJob(address: string, inputs: readonly string[], signal: AbortSignal): Promise<string> {
    const reply = await this.#post('the job', address, '/job/submit', inputs, signal);
    const jobId = (parseReply('the job', reply) as { job_id?: unknown } | null)?.job_id;
    if (typeof jobId === 'string' && jobId !== '') return jobId;
    throw new ModelAnswerError('The model accepted the job without giving a job id.');
  }

  async readJobStatus(address: string, jobId: string, signal: AbortSignal): Promise<JobStatus | null> {
    const path = `/job/status/${encodeURIComponent(jobId)}`;
    const reply = await this.#get('the job status', address, path, this.limits.callTimeoutMs, signal);
    if (reply.status === 404) return null;
    const status = (parseReply('the job status', reply) as { status?: unknown } | null)?.status;
    return status === 'completed' || status === 'failed' ? status : 'pending';
  }

  async readJobResult(
    address: string,
    jobId: string,
    signal: AbortSignal,
    beforeReading?: BeforeReading,
  ): Promise<unknown> {
    const path = `/job/result/${encodeURIComponent(jobId)}`;
    const reply = await this.#get('the job result', address, path, this.runTimeoutMs, signal);
    await beforeReading?.();
    return parseReply('the job result', reply);
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  #post(what: string, address: string, path: string, inputs: readonly string[], signal: AbortSignal) {
    const body = JSON.stringify(inputs);
    const timeoutMs = this.runTimeoutMs;
    return this.#call(what, `http://${address}${path}?${runQuery}`, {
      method: 'POST',
      body,
      timeoutMs,
      signal,
    });
  }

  #get(what: string, address: string, path: string, timeoutMs: number, signal: AbortSignal): Promise<Reply> {
    return this.#call(what, `http://${address}${path}`, { method: 'GET', timeoutMs, signal });
  }

  async #call(what: string, url: string, options: CallOptions): Promise<Reply> {
    const deadline = AbortSignal.timeout(options.timeoutMs);
    try {
      return await this.#exchange(what, url, options, AbortSignal.any([options.signal, deadline]));
    } catch (error) {
      if (options.signal.aborted || error instanceof ModelAnswerError) throw error;
      if (deadline.aborted) {
        throw new ModelAnswerError(
          `The model did not answer ${what} within ${options.timeoutMs / 1000} s.`,
          true,
        );
      }
      throw new ModelUnreachableError(`${what} at ${url} got no answer: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async #exchange(
    what: string,
    url: string,
    { method, body }: CallOptions,
    signal: AbortSignal,
  ): Promise<Reply> {
    const reply = await request(url, {
      dispatcher: this.#agent,
      method,
      signal,
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
    });
    return {
      status: reply.statusCode,
      contentType: String(reply.headers['content-type'] ?? ''),
      text: await readBounded(what, reply.body, this.limits.maxReplyBytes),
    };
  }
}

interface CallOptions {
  readonly method: 'GET' | 'POST';
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}
