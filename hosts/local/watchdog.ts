import { spawn, type ChildProcess } from 'node:child_process';

/**
 * A shell in a session of its own that holds the list of process groups and waits for the end of its input.
 * The kernel closes that input even when the host is killed with -9.
 */
const WATCH_SCRIPT = `
groups=' '
while read -r what group; do
  case "$what" in
    add) groups="$groups$group " ;;
    drop) case "$groups" in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
`;
const RESTART_DELAY_MS = 200;

/** Ends the process groups on its list as soon as the host is gone, however it went. */
export class Watchdog {
  readonly #groups = new Set<number>();
  readonly #warn: (text: string) => void;
  #shell: ChildProcess;
  #closed = false;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
    this.#shell = this.#launch();
  }

  get pid(): number | undefined {
    return this.#shell.pid;
  }

  add(processGroup: number): void {
    if (this.#groups.has(processGroup)) return;
    this.#groups.add(processGroup);
    this.#shell.stdin?.write(`add ${processGroup}\n`);
  }

  drop(processGroup: number): void {
    if (this.#groups.delete(processGroup)) this.#shell.stdin?.write(`drop ${processGroup}\n`);
  }

  /** Lets the watchdog go; groups still on its list are ended by it. */
  close(): void {
    this.#closed = true;
    this.#shell.stdin?.end();
  }

  #launch(): ChildProcess {
    const shell = spawn('/bin/sh', ['-c', WATCH_SCRIPT], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      cwd: '/',
    });
    const lost = (why: string) => {
      if (this.#closed || this.#shell !== shell) return;
      this.#warn(`the watchdog of the instances was lost (${why}); starting another`);
      setTimeout(() => (this.#closed ? undefined : (this.#shell = this.#launch())), RESTART_DELAY_MS).unref();
    };
    shell.on('error', (error) => lost(error.message));
    shell.on('exit', (code, signal) => lost(signal ?? `exit code ${code}`));
    // A write to a watchdog that just died; its exit is what starts the next one.
    shell.stdin.on('error', (error) => this.#warn(`the watchdog took no message: ${error.message}`));
    for (const group of this.#groups) shell.stdin.write(`add ${group}\n`);
    shell.unref();
    return shell;
  }
}
