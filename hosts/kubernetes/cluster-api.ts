import { fetch, type Response } from 'undici';
import { z } from 'zod';
import { HostUnavailableError } from '../model-host.js';
import type { Credentials } from './credentials.js';

const CALL_TIMEOUT_MS = 10_000;
const MS_PER_SECOND = 1000;
const TOO_MANY_REQUESTS = 429;
const UNAUTHORIZED = 401;

export interface ClusterCall {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
}

const statusBody = z.object({ reason: z.string().catch(''), message: z.string().catch('') });

/** The API server answered, and its answer was no. */
export class ClusterRefusal extends Error {
  override readonly name = 'ClusterRefusal';
  constructor(
    readonly call: ClusterCall,
    readonly status: number,
    /** The cluster's word for it (`AlreadyExists`, `Forbidden`, …); empty where there is none. */
    readonly reason: string,
    /** The cluster's sentence. */
    readonly told: string,
    /** How long the server asks to be left alone. */
    readonly retryAfterMs: number | null,
  ) {
    super(`the cluster answered ${call.method ?? 'GET'} ${call.path} with ${status} ${reason}: ${told}`);
  }

  /** True when the same call may well succeed later. */
  get passing(): boolean {
    return this.status >= 500 || this.status === TOO_MANY_REQUESTS || this.status === UNAUTHORIZED;
  }
}

/** Calls to one API server: answers as they are, with a time limit each, and the reason when one is refused. */
export class ClusterApi {
  readonly #credentials: Credentials;
  /** How far the server's clock is ahead of this machine's, as its last answer said. */
  #aheadMs = 0;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** Time by the server's clock, to the second: what it says when is held against this, for this machine's may be wrong. */
  now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** @throws ClusterRefusal when the server says no; HostUnavailableError when it can't be reached in time */
  async json(call: ClusterCall): Promise<unknown> {
    const text = await this.text(call);
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new HostUnavailableError(`${describeCall(call)} was answered with something else than JSON`, {
        cause: error,
      });
    }
  }

  /** As `json`, for answers that are plain text. */
  async text(call: ClusterCall): Promise<string> {
    const response = await this.open(call, AbortSignal.timeout(CALL_TIMEOUT_MS));
    try {
      return await response.text();
    } catch (error) {
      this.distrustConnections();
      throw unreachable(call, error);
    }
  }

  /** The head of an answer whose body is read by the caller, until `signal` aborts. Errors as of `json`. */
  async open(call: ClusterCall, signal: AbortSignal): Promise<Response> {
    const response = await this.#send(call, signal);
    const toldAt = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(toldAt)) this.#aheadMs = toldAt - Date.now();
    if (response.ok) return response;
    const told = await response.text().catch((error: unknown) => String(error));
    if (response.status === UNAUTHORIZED) this.#credentials.distrustCredentials();
    throw toRefusal(call, response, told);
  }

  async #send(
    { method = 'GET', path, query = {}, body }: ClusterCall,
    signal: AbortSignal,
  ): Promise<Response> {
    const url = new URL(this.#credentials.server + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    try {
      const { headers, dispatcher } = await orAborted(this.#credentials.sign(url.href), signal);
      return await fetch(url, {
        method,
        headers: { accept: 'application/json, */*', ...headers, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        signal,
        ...(dispatcher ? { dispatcher } : {}),
      });
    } catch (error) {
      this.distrustConnections();
      throw unreachable({ method, path }, error);
    }
  }

  /** Whoever finds that an answer breaks off or does not go on says so here. */
  distrustConnections(): void {
    this.#credentials.distrustConnections();
  }
}

/** Credentials may be asked for elsewhere: whoever does not answer there holds nobody up for longer than the call may take. */
function orAborted<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return Promise.race([value, aborted]).finally(() => signal.removeEventListener('abort', abort));
}

function toRefusal(call: ClusterCall, response: Response, body: string): ClusterRefusal {
  const status = statusBody.catch({ reason: '', message: body.slice(0, 500) }).parse(readJson(body));
  return new ClusterRefusal(
    call,
    response.status,
    status.reason,
    status.message || response.statusText,
    readRetryAfter(response.headers.get('retry-after')),
  );
}

/** What is no JSON is refused by the schema that follows. */
function readJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function readRetryAfter(header: string | null): number | null {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * MS_PER_SECOND : null;
}

function describeCall({ method = 'GET', path }: ClusterCall): string {
  return `${method} ${path}`;
}

function unreachable(call: ClusterCall, error: unknown): HostUnavailableError {
  // What `fetch` throws says no more than that it failed.
  const because = error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
  const why = because instanceof Error ? because.message : String(because);
  return new HostUnavailableError(
    `the cluster's API server could not take ${describeCall(call)} (${why}): it may be restarting, try again`,
    { cause: error },
  );
}
