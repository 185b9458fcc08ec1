import { get } from 'node:http';
import { performance } from 'node:perf_hooks';

/** Health checks of a young instance come at the base interval, then at 4 and 20 times it. */
const YOUNG_MS = 2000;
const GROWN_MS = 15_000;
const GROWN_FACTOR = 20;
/** An instance that is ready is checked this many times as rarely, and may take as long to answer. */
const READY_FACTOR = 100;
/** So many checks missed on end make a ready instance unready. */
const MOST_MISSES = 3;
/** How long a check of an instance that is not ready yet may take. */
const CHECK_TIMEOUT_MS = 1000;
/**
 * A server that computes with its only thread misses its checks, and answers the one that is open as soon as it is free:
 * it must be known as ready again before the next rows come.
 */
const UNREADY_CHECK_TIMEOUT_MS = 60_000;
/** The driving timer may fire this much early; a check is not put off by a whole turn for it. */
const TIMER_SLACK_MS = 2;

/** How long from one health check to the next of an instance of this age that was never ready. */
function startingDelayMs(ageMs: number, baseMs: number): number {
  if (ageMs < YOUNG_MS) return baseMs;
  return ageMs < GROWN_MS ? baseMs * 4 : baseMs * GROWN_FACTOR;
}

interface Checked {
  readonly port: number;
  readonly sinceMs: number;
  readonly tell: (ready: boolean) => void;
  readiness: 'starting' | 'ready' | 'unready';
  misses: number;
  nextAtMs: number;
}

/** Asks instances for their health: often until they answer, gently from then on; driven by the host's one timer. */
export class ReadinessChecks {
  readonly #baseMs: number;
  readonly #checked = new Map<string, Checked>();

  constructor(baseMs: number) {
    this.#baseMs = baseMs;
  }

  /** True while an instance was not ready yet: then checks are due at every base interval. */
  get areFrequent(): boolean {
    return [...this.#checked.values()].some(({ readiness }) => readiness === 'starting');
  }

  /** @param tell called at each change, first when the instance is ready */
  add(uid: string, port: number, nowMs: number, tell: (ready: boolean) => void): void {
    this.#checked.set(uid, {
      port,
      sinceMs: nowMs,
      tell,
      readiness: 'starting',
      misses: 0,
      nextAtMs: nowMs,
    });
  }

  remove(uid: string): void {
    this.#checked.delete(uid);
  }

  check(nowMs: number): void {
    for (const [uid, checked] of this.#checked) {
      if (nowMs < checked.nextAtMs - TIMER_SLACK_MS) continue;
      checked.nextAtMs = Number.POSITIVE_INFINITY;
      void isHealthy(checked.port, this.#timeoutMs(checked)).then((healthy) => {
        if (this.#checked.get(uid) !== checked) return;
        if (healthy) this.#passed(checked);
        else this.#missed(checked);
        checked.nextAtMs = nowMs + this.#delayMs(checked, performance.now());
      });
    }
  }

  #passed(checked: Checked): void {
    checked.misses = 0;
    if (checked.readiness === 'ready') return;
    checked.readiness = 'ready';
    checked.tell(true);
  }

  #missed(checked: Checked): void {
    checked.misses += 1;
    if (checked.readiness !== 'ready' || checked.misses < MOST_MISSES) return;
    checked.readiness = 'unready';
    checked.tell(false);
  }

  #timeoutMs({ readiness }: Checked): number {
    if (readiness === 'starting') return CHECK_TIMEOUT_MS;
    return readiness === 'ready' ? this.#baseMs * READY_FACTOR : UNREADY_CHECK_TIMEOUT_MS;
  }

  #delayMs({ readiness, sinceMs }: Checked, nowMs: number): number {
    if (readiness === 'starting') return startingDelayMs(nowMs - sinceMs, this.#baseMs);
    return this.#baseMs * (readiness === 'ready' ? READY_FACTOR : GROWN_FACTOR);
  }
}

/** True when the server's `GET /healthz` answers 2xx in time. */
function isHealthy(port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/healthz', agent: false, timeout: timeoutMs });
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= 200 && status < 300);
    });
    request.on('timeout', () => request.destroy());
    // Not listening yet, or too slow: both mean "not now", and the next check comes.
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}
