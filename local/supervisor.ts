import { Watchdog } from '../hosts/local/watchdog.js';
import { canSendDeathSignals } from './launch.js';
import { type ChildPlan, type ChildReports, SupervisedChild } from './supervised-child.js';

/** All children together have this long to stop, in ms; each at most a part of it. */
const stopBudgetMs = 9000;
const longestGraceMs = 3000;

/** What the supervisor tells whoever started it. */
export interface SupervisorReports {
  line(name: string, text: string): void;
  /** The processes that run now, by name, whenever that changed. */
  processes(pids: Readonly<Record<string, number>>): void;
}

/**
 * Starts processes, keeps them running and stops them in reverse order. Should it die itself, the kernel ends them; on
 * a machine whose kernel is not asked to, a watchdog does.
 */
export class Supervisor {
  readonly #children: SupervisedChild[] = [];
  readonly #pids = new Map<string, number>();
  readonly #reports: SupervisorReports;
  readonly #watchdog: Watchdog | undefined;
  #stopped: Promise<void> | undefined;

  constructor(reports: SupervisorReports) {
    this.#reports = reports;
    this.#watchdog = canSendDeathSignals()
      ? undefined
      : new Watchdog((text) => reports.line('supervisor', text));
  }

  /**
   * Starts a child and resolves when it serves.
   * @throws Error when it does not come up, or the supervisor is stopping.
   */
  async start(plan: ChildPlan): Promise<void> {
    if (this.#stopped) throw new Error(`${plan.name} is not started: everything is stopping`);
    const child = new SupervisedChild(plan, this.#childReports());
    this.#children.push(child);
    await child.start();
  }

  /** Stops every child, the last started first, within 10 s. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    const deadline = performance.now() + stopBudgetMs;
    for (const child of this.#children.toReversed()) {
      // Half of what is left: a child that hangs can't use up the time of those after it.
      await child.stop(Math.min(longestGraceMs, Math.max(0, deadline - performance.now()) / 2));
    }
    this.#watchdog?.close();
  }

  #childReports(): ChildReports {
    return {
      line: (name, text) => this.#reports.line(name, text),
      started: (name, pid) => {
        this.#watchdog?.add(pid);
        this.#pids.set(name, pid);
        this.#reports.processes(Object.fromEntries(this.#pids));
      },
      ended: (name) => {
        const pid = this.#pids.get(name);
        if (pid !== undefined) this.#watchdog?.drop(pid);
        this.#pids.delete(name);
        this.#reports.processes(Object.fromEntries(this.#pids));
      },
    };
  }
}
