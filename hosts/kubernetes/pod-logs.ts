import { LONGEST_LOG_LINE, timeOfLine } from '../../domain/instance/log-lines.js';
import { type FollowOptions, HostUnavailableError, type LogOptions } from '../model-host.js';
import { MODEL_CONTAINER } from './build-pod.js';
import { type ClusterApi, type ClusterCall, ClusterRefusal } from './cluster-api.js';
import { toHostError } from './hub-pods.js';

const NOT_FOUND = 404;
const BAD_REQUEST = 400;
/** A log that takes longer than this to read is too long to be read as a whole. */
const READ_TIMEOUT_MS = 30_000;
/** Of a longer log the end is read, unless somebody asks for another part. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Logs of pods: each line begins with its time. Asked of the API server directly, so that stopping is clean. */
export class PodLogs {
  readonly #api: ClusterApi;
  readonly #podsPath: string;

  constructor(api: ClusterApi, podsPath: string) {
    this.#api = api;
    this.#podsPath = podsPath;
  }

  /** Null when there is no such pod, or nothing to read of it. @throws HostUnavailableError when it can't be read now */
  async read(podName: string, options: LogOptions): Promise<string | null> {
    const { since, until, tailLines } = options;
    // The server counts the last lines of all; the last ones before a time are counted here.
    const call = this.#call(podName, { since, tailLines: until === undefined ? tailLines : undefined });
    try {
      const lines = this.#lines(call, AbortSignal.timeout(READ_TIMEOUT_MS));
      const kept = await chooseLines(lines, options);
      return kept.map((line) => `${line}\n`).join('');
    } catch (error) {
      if (!(error instanceof ClusterRefusal)) throw error;
      if (hasNoLog(error)) return null;
      throw toHostError(error);
    }
  }

  /** Ends with the pod's server; nothing for a pod that has no log. @throws HostUnavailableError when cut off */
  async *follow(podName: string, signal: AbortSignal, options: FollowOptions): AsyncGenerator<string> {
    const call = this.#call(podName, options);
    try {
      const lines = this.#lines({ ...call, query: { ...call.query, follow: true } }, signal);
      const isInside = windowOf(options);
      for await (const line of lines) if (isInside(line)) yield line;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ClusterRefusal)) throw error;
      if (hasNoLog(error) && !isYetToStart(error)) return;
      throw toHostError(error);
    }
  }

  #call(podName: string, { since, tailLines }: FollowOptions): ClusterCall {
    return {
      path: `${this.#podsPath}/${encodeURIComponent(podName)}/log`,
      query: {
        container: MODEL_CONTAINER,
        timestamps: true,
        tailLines,
        // The server knows whole seconds only; the rest is sorted out by line.
        sinceTime: since === undefined ? undefined : new Date(since).toISOString().replace(/\.\d+Z$/, 'Z'),
      },
    };
  }

  async *#lines(call: ClusterCall, signal: AbortSignal): AsyncGenerator<string> {
    const stop = new AbortController();
    const response = await this.#api.open(call, AbortSignal.any([signal, stop.signal]));
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const bytes of response.body ?? []) {
        const lines = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split('\n');
        const last = piecesOf(lines.pop() ?? '');
        rest = last.pop() ?? '';
        yield* [...lines.flatMap(piecesOf), ...last];
      }
    } catch (error) {
      throw new HostUnavailableError(`the log at ${call.path} broke off: ${String(error)}`, { cause: error });
    } finally {
      // The reader may have seen enough: the server must not go on sending.
      stop.abort();
    }
    if (rest !== '') yield rest;
  }
}

/** A line as it is, or broken where it is too long: then only the first piece begins with its time. */
function piecesOf(line: string): string[] {
  if (line.length <= LONGEST_LOG_LINE) return [line];
  const count = Math.ceil(line.length / LONGEST_LOG_LINE);
  return Array.from({ length: count }, (_, index) =>
    line.slice(index * LONGEST_LOG_LINE, (index + 1) * LONGEST_LOG_LINE),
  );
}

function chooseLines(lines: AsyncIterable<string>, options: LogOptions): Promise<string[]> {
  const { tailLines, headLines, lastBytes = MOST_BYTES } = options;
  const isInside = windowOf(options);
  return tailLines === undefined && headLines !== undefined
    ? firstLines(lines, isInside, { most: headLines, bytes: lastBytes })
    : lastLines(lines, isInside, { most: tailLines ?? Infinity, bytes: lastBytes });
}

interface Bounds {
  readonly most: number;
  /** Counted as characters. */
  readonly bytes: number;
}

async function firstLines(
  lines: AsyncIterable<string>,
  isInside: (line: string) => boolean,
  { most, bytes }: Bounds,
): Promise<string[]> {
  const kept: string[] = [];
  let size = 0;
  for await (const line of lines) {
    if (kept.length === most || size > bytes) break;
    if (!isInside(line)) continue;
    kept.push(line);
    size += line.length;
    if (kept.length === most) break;
  }
  return kept;
}

async function lastLines(
  lines: AsyncIterable<string>,
  isInside: (line: string) => boolean,
  { most, bytes }: Bounds,
): Promise<string[]> {
  const kept: string[] = [];
  let size = 0;
  let passed = 0;
  for await (const line of lines) {
    if (most === 0) break;
    if (!isInside(line)) continue;
    kept.push(line);
    size += line.length;
    for (; kept.length - passed > most || size > bytes; passed += 1) size -= kept[passed]!.length;
    // Let go of in bulk: one by one would move all the others each time.
    if (passed > kept.length / 2) {
      kept.splice(0, passed);
      passed = 0;
    }
  }
  return kept.slice(passed);
}

/**
 * The server says 400 in many words (is waiting to start, is terminated, is not available, unable to retrieve container
 * logs, …) and means one thing: of this pod there is nothing to read.
 */
function hasNoLog({ status }: ClusterRefusal): boolean {
  return status === NOT_FOUND || status === BAD_REQUEST;
}

/** There may be a log in a moment. */
function isYetToStart({ told }: ClusterRefusal): boolean {
  return told.includes('waiting to start');
}

/** Tells of each line in turn whether it is within the window. One that bears no time belongs to the line before it. */
function windowOf({ since, until }: LogOptions): (line: string) => boolean {
  const from = since === undefined ? -Infinity : Date.parse(since);
  const to = until === undefined ? Infinity : Date.parse(until);
  let isInside = true;
  return (line) => {
    const at = timeOfLine(line);
    if (at !== null) isInside = at >= from && at <= to;
    return isInside;
  };
}
