import { get, type ClientRequest, type IncomingMessage } from 'node:http';
import type { HostWatch } from '../model-host.js';

/** The host says something every 2 s; this long without a word means it can't be seen. */
const SILENCE_MS = 6000;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1000;

type Heartbeat = { readonly type: 'heartbeat' };

/** Which stream of the host is watched, and who is told what it says. */
export interface LocalStream<Told> {
  readonly socketPath: string;
  readonly path: string;
  readonly listener: (told: Told) => void;
}

/** A watch that connects again by itself: at once after a gap, then with growing pauses of up to a second. */
export class LocalHostWatch<Told extends { readonly type: string }> implements HostWatch {
  readonly #stream: LocalStream<Told>;
  #request: ClientRequest | null = null;
  #retry: NodeJS.Timeout | null = null;
  #silence: NodeJS.Timeout | null = null;
  #failures = 0;
  #healthy = false;
  #closed = false;

  constructor(stream: LocalStream<Told>) {
    this.#stream = stream;
    this.#connect();
  }

  get healthy(): boolean {
    return this.#healthy;
  }

  close(): void {
    this.#closed = true;
    this.#healthy = false;
    if (this.#retry) clearTimeout(this.#retry);
    if (this.#silence) clearTimeout(this.#silence);
    this.#request?.destroy();
  }

  #connect(): void {
    const { socketPath, path } = this.#stream;
    const request = get({ socketPath, path, agent: false });
    this.#request = request;
    this.#expectAWord(request);
    request.on('response', (response) => {
      if (response.statusCode !== 200) request.destroy();
      else readLines(response, (text) => this.#take(JSON.parse(text) as Told | Heartbeat, request));
      // A broken stream ends in `close` of the request, which connects again.
      response.on('error', () => request.destroy());
    });
    // The host may be restarting: `close` follows and connects again.
    request.on('error', () => undefined);
    request.on('close', () => this.#lost());
  }

  #take(line: Told | Heartbeat, request: ClientRequest): void {
    if (this.#closed) return;
    this.#expectAWord(request);
    this.#healthy = true;
    this.#failures = 0;
    if (!isHeartbeat(line)) this.#stream.listener(line);
  }

  #expectAWord(request: ClientRequest): void {
    if (this.#silence) clearTimeout(this.#silence);
    this.#silence = setTimeout(() => request.destroy(), SILENCE_MS);
  }

  #lost(): void {
    this.#healthy = false;
    if (this.#silence) clearTimeout(this.#silence);
    if (this.#closed) return;
    const backoffMs =
      this.#failures === 0 ? 0 : Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#failures - 1));
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#connect(), backoffMs * (0.5 + Math.random() / 2));
  }
}

function isHeartbeat(line: { readonly type: string }): line is Heartbeat {
  return line.type === 'heartbeat';
}

/** Calls `take` with every whole line of a streamed answer, without its line end. */
function readLines(response: IncomingMessage, take: (line: string) => void): void {
  let rest = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(take);
  });
}
