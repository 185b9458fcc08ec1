import { get } from 'node:http';

const CHECK_TIMEOUT_MS = 1000;
/** Health checks of a young instance come at the base interval, then at 4 and 20 times it. */
const YOUNG_MS = 2000;
const GROWN_MS = 15_000;
/** The driving timer may fire this much early; a check is not put off by a whole turn for it. */
const TIMER_SLACK_MS = 2;

/** How long until the next health check of an instance of this age that is not ready. */
function readinessDelayMs(ageMs: number, baseMs: number): number {
  if (ageMs < YOUNG_MS) return baseMs;
  return ageMs < GROWN_MS ? baseMs * 4 : baseMs * 20;
}

interface Waiting {
  readonly port: number;
  readonly sinceMs: number;
  nextAtMs: number;
  readonly onReady: () => void;
}

/** Asks instances that are not ready yet for their health, until they answer; driven by the host's one timer. */
export class ReadinessChecks {
  readonly #baseMs: number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(baseMs: number) {
    this.#baseMs = baseMs;
  }

  get count(): number {
    return this.#waiting.size;
  }

  add(uid: string, port: number, nowMs: number, onReady: () => void): void {
    this.#waiting.set(uid, { port, sinceMs: nowMs, nextAtMs: nowMs, onReady });
  }

  remove(uid: string): void {
    this.#waiting.delete(uid);
  }

  check(nowMs: number): void {
    for (const [uid, waiting] of this.#waiting) {
      if (nowMs < waiting.nextAtMs - TIMER_SLACK_MS) continue;
      waiting.nextAtMs = Number.POSITIVE_INFINITY;
      void isHealthy(waiting.port).then((healthy) => {
        if (this.#waiting.get(uid) !== waiting) return;
        if (!healthy) {
          waiting.nextAtMs = nowMs + readinessDelayMs(nowMs - waiting.sinceMs, this.#baseMs);
          return;
        }
        this.#waiting.delete(uid);
        waiting.onReady();
      });
    }
  }
}

/** True when the server's `GET /healthz` answers 2xx in time. */
function isHealthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({
      host: '127.0.0.1',
      port,
      path: '/healthz',
      agent: false,
      timeout: CHECK_TIMEOUT_MS,
    });
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= 200 && status < 300);
    });
    request.on('timeout', () => request.destroy());
    // Not listening yet, or too slow: both mean "not yet", and the next check comes.
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}
