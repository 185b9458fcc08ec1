import { setTimeout as sleep } from 'node:timers/promises';
import { HostUnavailableError, type HostWatch } from '../model-host.js';
import { type ClusterApi, ClusterRefusal } from './cluster-api.js';
import { readWatchLines, type WatchLine } from './watch-stream.js';
import { ObjectState, type VersionedObject } from './object-state.js';

/** Objects of one page of a list. */
const PAGE_SIZE = 500;
/** A watch is ended by the server after so long, with a bookmark shortly before: quiet ones stay resumable. */
const WATCH_SECONDS = 11;
/**
 * So long without a word and the connection counts as dead: longer than a healthy watch lasts. One that is opened while
 * the silence lasts is given up so much sooner that it is not waited for a second time as long.
 */
const PATIENCE = { openMs: 4000, silenceMs: 13_000 };
/** A watch that the server ends sooner than this is no watch: to open the next at once would be a storm. */
const SHORT_WATCH_MS = 500;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 1000;
const MAX_RETRY_AFTER_MS = 30_000;
const GONE = 410;

/** What a reflector tells of its objects. */
export interface ReflectorListener<Seen extends VersionedObject> {
  /** Everything there is, at the start and after a gap that could not be bridged. */
  listed(objects: readonly Seen[]): void;
  changed(object: Seen): void;
  gone(object: Seen): void;
}

export interface ReflectorParts<Seen extends VersionedObject> {
  readonly api: ClusterApi;
  /** Path of the list, e.g. `/api/v1/namespaces/models/pods`. */
  readonly path: string;
  readonly selector: Readonly<Record<string, string>>;
  /** Reads one object; null for one that can't be told from others. */
  readonly read: (object: unknown) => Seen | null;
  readonly listener: ReflectorListener<Seen>;
  /** Told of every failure that makes the reflector blind for a while. */
  readonly warn: (text: string) => void;
}

/**
 * Keeps telling what a list of the cluster holds: one list, then a watch from its version, taken up again from the
 * last version seen after every end, and a new list only where the server has forgotten that version.
 */
export class Reflector<Seen extends VersionedObject> implements HostWatch {
  readonly #parts: ReflectorParts<Seen>;
  readonly #state = new ObjectState<Seen>();
  readonly #closing = new AbortController();
  /** Version to go on from; null before the first list and after the server forgot it. */
  #version: string | null = null;
  #failures = 0;
  #wasAway = false;
  /** True from a 410 until a watch goes well: a server that says nothing else is not to be stormed. */
  #hasForgotten = false;
  #healthy = false;

  constructor(parts: ReflectorParts<Seen>) {
    this.#parts = parts;
    void this.#run();
  }

  get healthy(): boolean {
    return this.#healthy;
  }

  close(): void {
    this.#healthy = false;
    this.#closing.abort();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        if (this.#version === null) await this.#list();
        await this.#watch();
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        await this.#recover(error);
      }
    }
  }

  /** Reads all pages before it tells any: half a list would look like the end of the other half. It is blind meanwhile. */
  async #list(): Promise<void> {
    const { api, path, selector, read, listener } = this.#parts;
    this.#healthy = false;
    const objects: Seen[] = [];
    let next: string | undefined;
    let version: string;
    do {
      const query = { ...selector, limit: PAGE_SIZE, continue: next };
      const page = (await api.json({ path, query })) as ListPage;
      objects.push(...(page.items ?? []).map(read).filter((seen) => seen !== null));
      next = page.metadata?.continue || undefined;
      version = page.metadata?.resourceVersion ?? '';
    } while (next !== undefined);
    if (this.#closing.signal.aborted) return;
    this.#version = version;
    this.#healthy = true;
    listener.listed(this.#state.replace(objects));
  }

  async #watch(): Promise<void> {
    const { api, path, selector } = this.#parts;
    const call = {
      path,
      query: {
        ...selector,
        watch: true,
        allowWatchBookmarks: true,
        timeoutSeconds: WATCH_SECONDS,
        resourceVersion: this.#version ?? undefined,
      },
    };
    const openedAt = Date.now();
    const lines = readWatchLines(api, call, this.#closing.signal, PATIENCE);
    for await (const line of lines) {
      this.#healthy = true;
      if (line === 'opened') continue;
      this.#take(line);
      this.#goesWell();
    }
    if (Date.now() - openedAt < SHORT_WATCH_MS) {
      throw new HostUnavailableError('the server ended the watch as soon as it had begun');
    }
    this.#goesWell();
  }

  #goesWell(): void {
    this.#failures = 0;
    this.#wasAway = false;
    this.#hasForgotten = false;
  }

  #take({ type, object }: WatchLine): void {
    if (type === 'ERROR') throw toRefusal(this.#parts.path, object);
    const seen = this.#parts.read(object);
    const version = (object as VersionedShape).metadata?.resourceVersion;
    if (seen !== null && type !== 'BOOKMARK') {
      for (const change of this.#state.take(type === 'DELETED', seen)) {
        this.#parts.listener[change.type](change.object);
      }
    }
    // Only after it was told: what was not told must come again.
    if (version) this.#version = newer(this.#version, version);
  }

  async #recover(error: unknown): Promise<void> {
    if (error instanceof ClusterRefusal && error.status === GONE) {
      // The server forgot where this watch was; the next turn lists.
      const isFirst = this.#version !== null && !this.#hasForgotten;
      this.#version = null;
      this.#hasForgotten = true;
      if (isFirst) return;
    }
    this.#healthy = false;
    this.#parts.warn(`${this.#parts.path} can't be watched just now: ${describe(error)}`);
    const answered = error instanceof ClusterRefusal;
    // It is back; what it refuses in its first moments it soon grants.
    if (answered && this.#wasAway) this.#failures = 0;
    this.#wasAway = !answered;
    const asked = answered ? error.retryAfterMs : null;
    const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    const pause = Math.max(backoff * (0.5 + Math.random() / 2), Math.min(asked ?? 0, MAX_RETRY_AFTER_MS));
    await sleep(pause, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }
}

interface VersionedShape {
  readonly metadata?: { readonly resourceVersion?: string };
}

interface ListPage {
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
  readonly items?: readonly unknown[];
}

/** A replayed old event must not take the watch back to where it was. */
function newer(known: string | null, seen: string): string {
  return known !== null && Number(known) > Number(seen) ? known : seen;
}

function toRefusal(path: string, status: unknown): ClusterRefusal {
  const { code, reason, message } = status as { code?: number; reason?: string; message?: string };
  return new ClusterRefusal(
    { path },
    code ?? 500,
    reason ?? '',
    message ?? 'the watch ended with an error',
    null,
  );
}

function describe(error: unknown): string {
  if (error instanceof HostUnavailableError || error instanceof ClusterRefusal) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
