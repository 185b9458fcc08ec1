import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '../hosts/local/proc-files.js';
import { type Launch, startProcess } from './launch.js';
import { healthyMs, restartDelayMs } from './restart-delay.js';
import { type HealthCheck, isGivenUp } from './watch-health.js';

/** One process that is kept running. */
export interface ChildPlan {
  readonly name: string;
  /** Clears away what an earlier run left and says how to start; asked before every start. */
  prepare(): Promise<Launch>;
  /** Resolves when the process serves; rejects, or is cut off by the signal, when it does not. */
  waitUntilReady(child: ChildProcess, signal: AbortSignal): Promise<void>;
  /** Notices when it runs but does not answer any more. */
  readonly health?: HealthCheck;
  /** How the process is asked to end. */
  readonly stopSignal: NodeJS.Signals;
  /** Its output while it starts and stops is noise: greetings, and an error for every connection that goes. */
  readonly isNoisyAtBothEnds?: boolean;
}

/** What a child tells its supervisor. */
export interface ChildReports {
  /** A line of its output, or of ours about it. */
  line(name: string, text: string): void;
  started(name: string, pid: number): void;
  ended(name: string): void;
}

/** How one run of the process went. */
interface Run {
  readonly how: string;
  /** How long it served, in ms; 0 when it never did. */
  readonly servedMs: number;
}

const readyMs = 60_000;
/** A child that dies this often before it ever served will not serve. */
const attemptsAtStart = 3;
const rememberedLines = 8;

/** Keeps one process running until told to stop. */
export class SupervisedChild {
  readonly #plan: ChildPlan;
  readonly #reports: ChildReports;
  readonly #stopping = new AbortController();
  readonly #firstReady = Promise.withResolvers<void>();
  readonly #lastLines: string[] = [];
  #process: ChildProcess | undefined;
  #everReady = false;
  #over: Promise<void> | undefined;

  constructor(plan: ChildPlan, reports: ChildReports) {
    this.#plan = plan;
    this.#reports = reports;
  }

  /**
   * Resolves when the process serves for the first time.
   * @throws Error with its last words when it died three times before.
   */
  async start(): Promise<void> {
    this.#over = this.#keepRunning().catch((error: unknown) => this.#firstReady.reject(error));
    await this.#firstReady.promise;
  }

  /** Asks the process to end, and ends it when it has not done so after the grace, in ms. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const running = this.#process;
    if (running?.pid === undefined) return this.#over;
    sendSignal(running.pid, this.#plan.stopSignal);
    const timer = setTimeout(() => {
      this.#say(`did not end within ${graceMs} ms of ${this.#plan.stopSignal} and is killed`);
      kill(running);
    }, graceMs);
    await this.#over;
    clearTimeout(timer);
  }

  async #keepRunning(): Promise<void> {
    let deaths = 0;
    while (!this.#stopping.signal.aborted) {
      const run = await this.#runOnce();
      if (this.#stopping.signal.aborted) break;
      deaths = run.servedMs >= healthyMs ? 1 : deaths + 1;
      if (!this.#everReady && deaths >= attemptsAtStart) throw this.#startFailure(run);
      const delayMs = restartDelayMs(deaths);
      this.#say(`${run.how}; starting it again ${delayMs === 0 ? 'now' : `in ${delayMs} ms`}`);
      await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    this.#firstReady.reject(new Error(`${this.#plan.name} was stopped before it served`));
  }

  async #runOnce(): Promise<Run> {
    const launch = await this.#prepare();
    if (typeof launch === 'string') return { how: launch, servedMs: 0 };
    if (this.#stopping.signal.aborted) return { how: 'was not started', servedMs: 0 };
    const child = startProcess(launch);
    this.#process = child;
    const ended = endOf(child);
    this.#forwardLines(child);
    if (child.pid !== undefined) this.#reports.started(this.#plan.name, child.pid);
    const over = new AbortController();
    const readyAt = this.#awaitReady(child, over.signal);
    const how = await ended;
    over.abort(new Error(how));
    this.#process = undefined;
    this.#reports.ended(this.#plan.name);
    const at = await readyAt;
    return { how, servedMs: at === undefined ? 0 : performance.now() - at };
  }

  /** How to start it, or why that is not known now. Before it ever served, that ends the start. */
  async #prepare(): Promise<Launch | string> {
    try {
      return await this.#plan.prepare();
    } catch (error) {
      if (!this.#everReady) throw error;
      return `could not be prepared (${error instanceof Error ? error.message : String(error)})`;
    }
  }

  /** When it began to serve; undefined when it did not, in which case it is killed. */
  async #awaitReady(child: ChildProcess, over: AbortSignal): Promise<number | undefined> {
    try {
      await this.#plan.waitUntilReady(child, AbortSignal.any([over, AbortSignal.timeout(readyMs)]));
    } catch (error) {
      if (!over.aborted)
        this.#say(`does not serve (${error instanceof Error ? error.message : String(error)})`);
      kill(child);
      return undefined;
    }
    if (over.aborted) return undefined;
    if (this.#everReady) this.#say(`serves again as process ${child.pid}`);
    this.#everReady = true;
    this.#firstReady.resolve();
    void this.#endWhenSilent(child, over);
    return performance.now();
  }

  async #endWhenSilent(child: ChildProcess, over: AbortSignal): Promise<void> {
    const { health } = this.#plan;
    if (!health) return;
    const ending = AbortSignal.any([over, this.#stopping.signal]);
    if (!(await isGivenUp(child, health, ending, (text) => this.#say(text)))) return;
    this.#say(`did not answer ${health.mostUnanswered} times in a row and is killed`);
    kill(child);
  }

  #forwardLines(child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#heard(line));
    }
  }

  #heard(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > rememberedLines) this.#lastLines.shift();
    const isAtAnEnd = !this.#everReady || this.#stopping.signal.aborted;
    const isNoise = line.trim() === '' || (isAtAnEnd && this.#plan.isNoisyAtBothEnds === true);
    if (!isNoise) this.#reports.line(this.#plan.name, line);
  }

  #say(text: string): void {
    this.#reports.line(this.#plan.name, `(supervisor) ${text}`);
  }

  #startFailure(run: Run): Error {
    const words = this.#lastLines.length > 0 ? `; its last words: ${this.#lastLines.join(' | ')}` : '';
    return new Error(`${this.#plan.name} does not start: it ${run.how} ${attemptsAtStart} times${words}`);
  }
}

/** Resolves with how the process ended, also when it could not be started at all. */
async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
  } catch (error) {
    return `could not be started (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** Ends the process and what it started in its own group. */
function kill(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    sendSignal(-child.pid, 'SIGKILL');
  }
}
