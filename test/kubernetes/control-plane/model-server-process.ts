import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelCommand } from '../../../hosts/local/model-commands.js';
import {
  parseResidentBytes,
  readProcFile,
  readProcStat,
  TICKS_PER_SECOND,
} from '../../../hosts/local/proc-files.js';
import { startProcess } from '../../../local/launch.js';
import type { PodObject } from './cluster.js';
import type { PodLog } from './pod-log.js';
import type { Usage } from './pod-metrics.js';

const defaultPort = 80;
const probeEveryMs = 50;
const measureEveryMs = 1000;

/** One run of a pod's container: a process of this machine that listens on the pod's address. */
export class ModelServer {
  /** True once it answers health checks; false when it ended before. */
  readonly healthy: Promise<boolean>;
  /** The exit code as a kubelet reports it: 128 and the signal when it was killed. */
  readonly ended: Promise<number>;
  isStopping = false;
  #hasEnded = false;

  private constructor(
    private readonly child: ChildProcess,
    healthUrl: string,
    log: PodLog,
  ) {
    for (const output of [child.stdout, child.stderr]) if (output) copyLines(output, log);
    this.ended = this.#waitForEnd(log);
    this.healthy = this.#probe(healthUrl);
  }

  /** Starts the model's server on the pod's address and the container's port, 80 unless it names one. */
  static start(pod: PodObject, model: ModelCommand, log: PodLog): ModelServer {
    const [container] = pod.spec.containers;
    const host = pod.status.podIP ?? '';
    const port = container?.ports?.[0]?.containerPort ?? defaultPort;
    const given = container?.env?.map(({ name, value }) => [name, value ?? ''] as const) ?? [];
    const [command, ...args] = model.command;
    const child = startProcess({
      command,
      args,
      environment: {
        ...model.env,
        ...Object.fromEntries(given),
        HOST: host,
        PORT: String(port),
        NODE_OPTIONS: '',
      },
      deathSignal: 'SIGKILL',
    });
    return new ModelServer(child, `http://${host}:${port}/healthz`, log);
  }

  /** Asks it to end, as a kubelet does first. */
  stop(): void {
    this.isStopping = true;
    this.child.kill('SIGTERM');
  }

  kill(): void {
    this.isStopping = true;
    this.child.kill('SIGKILL');
  }

  /** Tells its memory and CPU rate every second until it ends. */
  measure(tell: (usage: Usage) => void): void {
    let last = { ticks: 0, at: performance.now() };
    const timer = setInterval(() => {
      const { pid = 0 } = this.child;
      const stat = readProcStat(pid);
      const statm = readProcFile(pid, 'statm');
      if (stat === null || statm === null) return;
      const at = performance.now();
      const cpuSeconds = (stat.cpuTicks - last.ticks) / TICKS_PER_SECOND;
      const cpuMillicores = (cpuSeconds / (at - last.at)) * 1e6;
      last = { ticks: stat.cpuTicks, at };
      tell({ cpuMillicores, memoryBytes: parseResidentBytes(statm) });
    }, measureEveryMs);
    void this.ended.then(() => clearInterval(timer));
  }

  async #waitForEnd(log: PodLog): Promise<number> {
    const end = once(this.child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const [code, signal] = await end.catch((error: unknown) => {
      log.append([`the server could not be started: ${String(error)}`]);
      return [128, null] as const;
    });
    this.#hasEnded = true;
    log.end();
    return code ?? 128 + (signal ? constants.signals[signal] : 0);
  }

  async #probe(url: string): Promise<boolean> {
    while (!this.#hasEnded) {
      const answered = await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      );
      if (answered) return true;
      await sleep(probeEveryMs);
    }
    return false;
  }
}

function copyLines(output: Readable, log: PodLog): void {
  createInterface({ input: output }).on('line', (line) => log.append([line]));
}
