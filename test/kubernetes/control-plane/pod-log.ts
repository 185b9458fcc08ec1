import { EventEmitter, once } from 'node:events';

/** One line of a container's log, as a container runtime keeps it. */
interface LogLine {
  readonly at: string;
  readonly text: string;
}

/** What of a log is wanted, in the words that the API server hands on to a kubelet. */
export interface LogQuery {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | null;
  readonly limitBytes: number | null;
  /** ISO time; lines before it are left out. */
  readonly sinceTime: string | null;
}

/** Reads the query of `/containerLogs/…`. */
export function readLogQuery(query: URLSearchParams, now = Date.now()): LogQuery {
  const number = (name: string) => (query.has(name) ? Number(query.get(name)) : null);
  const sinceSeconds = number('sinceSeconds');
  const ago = sinceSeconds === null ? null : new Date(now - sinceSeconds * 1000).toISOString();
  return {
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
    sinceTime: query.get('sinceTime') ?? ago,
  };
}

/** The log of one run of a container, which grows until it is ended. */
export class PodLog {
  readonly #lines: LogLine[] = [];
  readonly #changed = new EventEmitter().setMaxListeners(0);
  #ended = false;

  append(lines: readonly string[], at: string = new Date().toISOString()): void {
    for (const text of lines) this.#lines.push({ at, text });
    this.#changed.emit('change');
  }

  /** Nothing more will come: who follows is let go. */
  end(): void {
    this.#ended = true;
    this.#changed.emit('change');
  }

  /** The text that the query asks for, piece by piece; a followed log ends with the container or the signal. */
  async *read(query: LogQuery, signal: AbortSignal): AsyncGenerator<string> {
    const since = query.sinceTime === null ? -Infinity : Date.parse(query.sinceTime);
    const wanted = (line: LogLine) => Date.parse(line.at) >= since;
    let room = query.limitBytes ?? Infinity;
    const write = (lines: readonly LogLine[]): string => {
      const text = lines.map((line) => `${query.timestamps ? `${line.at} ` : ''}${line.text}\n`).join('');
      const cut = Buffer.from(text).subarray(0, room).toString();
      room -= Buffer.byteLength(cut);
      return cut;
    };
    const first = this.#lines.filter(wanted);
    yield write(query.tailLines === null ? first : first.slice(Math.max(0, first.length - query.tailLines)));
    let seen = this.#lines.length;
    while (query.follow && !signal.aborted && room > 0) {
      if (seen === this.#lines.length) {
        if (this.#ended) return;
        await this.#nextChange(signal);
      }
      yield write(this.#lines.slice(seen).filter(wanted));
      seen = this.#lines.length;
    }
  }

  async #nextChange(signal: AbortSignal): Promise<void> {
    await once(this.#changed, 'change', { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
