import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { sendSignal } from '../hosts/local/proc-files.js';
import { startProcess } from '../local/launch.js';
import { nodeLaunch } from '../local/stack-children.js';

/** One more api or worker process of a hub, as a second machine would run it; it is started again whenever it ends. */
export class FurtherProcess {
  #child: ChildProcess;
  #isStopping = false;
  #output = '';

  private constructor(
    private readonly program: string,
    private readonly environment: Readonly<Record<string, string>>,
  ) {
    this.#child = this.#start();
  }

  /**
   * Resolves when it serves.
   * @param program path below `dist/`
   */
  static async start(
    program: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<FurtherProcess> {
    const process = new FurtherProcess(program, environment);
    await process.#untilReady();
    return process;
  }

  /** The process that runs now. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Everything it printed, over all its lives. */
  get output(): string {
    return this.#output;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    sendSignal(this.pid, 'SIGTERM');
    await ended;
  }

  #start(): ChildProcess {
    const child = startProcess({ ...nodeLaunch(this.program, this.environment), hasChannel: true });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => (this.#output += String(chunk)));
    child.once('exit', () => {
      if (!this.#isStopping) this.#child = this.#start();
    });
    return child;
  }

  async #untilReady(): Promise<void> {
    const ended = new AbortController();
    this.#child.once('exit', () => ended.abort());
    const ready = once(this.#child, 'message', { signal: ended.signal });
    await ready.catch((cause: unknown) => {
      this.#isStopping = true;
      throw new Error(`${this.program} ended before it served: ${this.#output.slice(-2000)}`, { cause });
    });
  }
}
