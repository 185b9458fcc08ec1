import { setTimeout as sleep } from 'node:timers/promises';
import { timeOfLine } from '../../domain/instance/log-lines.js';
import { HostUnavailableError } from '../../hosts/model-host.js';
import type { LogReader } from '../records/log-reader.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** A host may restart; one that is away for longer is said to be. */
const PATIENCE_MS = 20_000;

/** Lines of one moment that are remembered; if it had more, those may be told twice after a break. */
const MOST_REMEMBERED = 2_000;

/** Where following begins: with the last lines, or at an ISO time. */
export interface FollowStart {
  readonly tail?: number | undefined;
  readonly since?: string | undefined;
}

/** Who gives out the log, and who knows whether more will come. */
export interface Followed {
  readonly reader: Pick<LogReader, 'followLogs'>;
  readonly isOver: () => Promise<boolean>;
}

/**
 * The lines of an instance's log as they come, through breaks of the connection to its host: after each it goes on
 * behind the last line. A connection on which nothing is said for minutes breaks by itself. One that ends is no end of
 * the instance: an API server that loses a node ends what it passed on as if that were all.
 * @throws HostUnavailableError when the host stays away
 */
export async function* followOn(
  { reader, isOver }: Followed,
  instanceId: string,
  start: FollowStart,
  signal: AbortSignal,
  patienceMs = PATIENCE_MS,
): AsyncGenerator<string> {
  const seen = new LastLines();
  const absence = new Absence(patienceMs);
  while (!signal.aborted) {
    const beganAt = performance.now();
    const failure = yield* newLines(
      reader.followLogs(instanceId, signal, seen.restart(start)),
      seen,
      absence,
    );
    if (failure === null && (signal.aborted || (await isOver()))) return;
    const pauseMs = absence.note(beganAt);
    if (pauseMs === null) return endWith(failure);
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns why they broke off; null where they ended */
async function* newLines(
  lines: AsyncIterable<string>,
  seen: LastLines,
  absence: Absence,
): AsyncGenerator<string, HostUnavailableError | null> {
  try {
    for await (const line of lines) {
      if (!seen.isNew(line)) continue;
      absence.end();
      yield line;
    }
    return null;
  } catch (error) {
    if (error instanceof HostUnavailableError) return error;
    throw error;
  }
}

/** A host that says again and again that nothing more comes is believed in the end, whoever else says otherwise. */
function endWith(failure: HostUnavailableError | null): void {
  if (failure) throw failure;
}

/** How long a host has been away, and how long to wait before it is asked again. */
class Absence {
  #since: number | null = null;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(private readonly patienceMs: number) {}

  end(): void {
    this.#since = null;
  }

  /** @returns the pause before the next try, or null when it has been away for too long */
  note(beganAt: number): number | null {
    const now = performance.now();
    // A connection that held for longer than a pause was no failure to connect.
    if (this.#since === null || now - beganAt > LONGEST_PAUSE_MS) {
      this.#since = now;
      this.#pauseMs = FIRST_PAUSE_MS;
    }
    if (now - this.#since > this.patienceMs) return null;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    return pauseMs;
  }
}

/** The last lines that were given: those of one moment, which a host gives again when asked from that moment on. */
class LastLines {
  #moment: number | null = null;
  readonly #lines = new Map<string, number>();
  #given = new Map<string, number>();

  /** How to ask again: from the last moment on, or as at first when there was none. */
  restart({ tail, since }: FollowStart): { tailLines?: number; since?: string } {
    this.#given = new Map(this.#lines);
    if (this.#moment !== null) return { since: new Date(this.#moment).toISOString() };
    return { ...(tail !== undefined && { tailLines: tail }), ...(since !== undefined && { since }) };
  }

  isNew(line: string): boolean {
    const again = this.#given.get(line) ?? 0;
    if (again > 0) {
      this.#given.set(line, again - 1);
      return false;
    }
    const at = timeOfLine(line);
    if (at !== null && at !== this.#moment) {
      this.#moment = at;
      this.#lines.clear();
    }
    this.#lines.set(line, (this.#lines.get(line) ?? 0) + 1);
    const [oldest] = this.#lines.keys();
    if (this.#lines.size > MOST_REMEMBERED && oldest !== undefined) this.#lines.delete(oldest);
    return true;
  }
}
