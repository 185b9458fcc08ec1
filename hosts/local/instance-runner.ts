import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { InstanceTermination } from '../model-host.js';
import { InstanceLog } from './instance-log.js';
import { findFreePort, startInstanceProcess, type StartedProcess } from './instance-process.js';
import { ReadinessChecks } from './instance-readiness.js';
import type { ModelCommand } from './model-commands.js';
import { ProcessAccounting } from './process-accounting.js';
import { ProcessTable, type ProcessTree } from './process-tree.js';
import { readProcStat } from './proc-files.js';
import { Watchdog } from './watchdog.js';

/** CPU and the kernel's high-water marks are read this often; memory far more often. */
const CLOSE_LOOK_MS = 1000;
/** How long a server may take to end after SIGTERM. */
const TERMINATION_GRACE_MS = 2000;
/** A timer may fire this much early; a look is not put off by a whole turn for it. */
const TIMER_SLACK_MS = 2;

export interface RunnerSettings {
  readonly hostId: string;
  readonly sampleIntervalMs: number;
  readonly readinessIntervalMs: number;
  readonly logCapBytes: number;
  readonly warn: (text: string) => void;
}

/** What is told of a running instance: its readiness at each change, the rest at most once. */
export interface RunnerListener {
  ready(isReady: boolean): void;
  outOfMemory(memoryBytes: number): void;
  ended(termination: InstanceTermination): void;
}

export interface RunningInstance {
  readonly pid: number;
  readonly startTicks: number;
  readonly port: number;
  readonly accounting: ProcessAccounting;
  readonly log: InstanceLog;
  /** Asks the instance to end, and ends it when it does not within the grace. */
  terminate(): void;
}

interface Running extends RunningInstance {
  readonly uid: string;
  readonly tree: ProcessTree;
  readonly listener: RunnerListener;
  killed: boolean;
}

/** Runs the processes of all instances: one timer looks after readiness, memory and CPU of all of them. */
export class InstanceRunner {
  readonly #settings: RunnerSettings;
  readonly #table = new ProcessTable();
  readonly #checks: ReadinessChecks;
  readonly #watchdog: Watchdog;
  readonly #running = new Map<string, Running>();
  readonly #ports = new Set<number>();
  readonly #ends = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | null = null;
  #lastSampleMs = 0;
  #lastCloseLookMs = 0;

  constructor(settings: RunnerSettings) {
    this.#settings = settings;
    this.#checks = new ReadinessChecks(settings.readinessIntervalMs);
    this.#watchdog = new Watchdog(settings.warn);
  }

  async reservePort(): Promise<number> {
    const port = await findFreePort(this.#ports);
    this.#ports.add(port);
    return port;
  }

  releasePort(port: number): void {
    this.#ports.delete(port);
  }

  /** Starts a server on a reserved port. Null when its command can't be run: `ended` says why. */
  start(
    instance: { uid: string; folder: string; port: number; memoryLimitBytes: number | null },
    model: ModelCommand,
    listener: RunnerListener,
  ): RunningInstance | null {
    const { uid, folder, port } = instance;
    const log = new InstanceLog(folder, this.#settings.logCapBytes, this.#settings.warn);
    const { hostId } = this.#settings;
    const started = startInstanceProcess({ model, uid, hostId, port, workFolder: join(folder, 'work'), log });
    if ('startFailure' in started) {
      void started.startFailure.then((termination) => {
        log.end();
        this.releasePort(port);
        listener.ended(termination);
      });
      return null;
    }
    this.#watchdog.add(started.pid);
    const tree = this.#table.follow(uid, started.pid);
    const nowMs = performance.now();
    const running: Running = {
      uid,
      pid: started.pid,
      startTicks: readProcStat(started.pid)?.startTicks ?? 0,
      port,
      tree,
      log,
      listener,
      accounting: new ProcessAccounting(tree, instance.memoryLimitBytes, nowMs),
      killed: false,
      terminate: () => this.#terminate(running),
    };
    this.#running.set(uid, running);
    this.#checks.add(uid, port, nowMs, (isReady) => listener.ready(isReady));
    const end = this.#followToItsEnd(running, started);
    this.#ends.add(end);
    void end.finally(() => this.#ends.delete(end));
    this.#schedule();
    return running;
  }

  /** Ends every instance; settles when all have ended. */
  async stop(): Promise<void> {
    for (const running of this.#running.values()) running.terminate();
    await Promise.all(this.#ends);
    if (this.#timer) clearTimeout(this.#timer);
    this.#watchdog.close();
  }

  async #followToItsEnd(running: Running, started: StartedProcess): Promise<void> {
    await started.exited;
    this.#checks.remove(running.uid);
    this.#discover();
    running.tree.signal('SIGKILL');
    const termination = await started.ended;
    running.accounting.end();
    running.log.end();
    this.#running.delete(running.uid);
    for (const group of running.tree.groups) this.#watchdog.drop(group);
    this.#table.forget(running.tree);
    this.releasePort(running.port);
    running.listener.ended(termination);
  }

  #terminate(running: Running): void {
    running.accounting.readHighWaterMark();
    running.tree.signal('SIGTERM');
    setTimeout(() => {
      if (!this.#running.has(running.uid)) return;
      this.#discover();
      running.tree.signal('SIGKILL');
    }, TERMINATION_GRACE_MS).unref();
  }

  #schedule(): void {
    if (this.#timer || this.#running.size === 0) return;
    const { sampleIntervalMs, readinessIntervalMs } = this.#settings;
    const delay = this.#checks.areFrequent
      ? Math.min(sampleIntervalMs, readinessIntervalMs)
      : sampleIntervalMs;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const nowMs = performance.now();
      this.#checks.check(nowMs);
      if (nowMs - this.#lastSampleMs >= this.#settings.sampleIntervalMs - TIMER_SLACK_MS) this.#sample(nowMs);
      this.#schedule();
    }, delay);
  }

  #sample(nowMs: number): void {
    this.#lastSampleMs = nowMs;
    this.#discover();
    const closely = nowMs - this.#lastCloseLookMs >= CLOSE_LOOK_MS - TIMER_SLACK_MS;
    if (closely) this.#lastCloseLookMs = nowMs;
    for (const running of this.#running.values()) {
      if (running.accounting.isAtMemoryLimit() && !running.killed) this.#endOutOfMemory(running);
      else if (closely) running.accounting.lookClosely(nowMs);
    }
  }

  #endOutOfMemory(running: Running): void {
    running.killed = true;
    running.accounting.readHighWaterMark();
    running.tree.signal('SIGKILL');
    running.listener.outOfMemory(running.accounting.usage().memoryBytes);
  }

  #discover(): void {
    for (const { processGroup } of this.#table.discover()) this.#watchdog.add(processGroup);
  }
}
