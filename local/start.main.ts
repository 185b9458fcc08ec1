import { parseSettings } from '../domain/settings.js';
import { localSettings } from './local.config.js';
import { stopWithParent } from './stop-with-parent.js';
import { prepareStack, type Stack } from './stack.js';
import { welcomeText } from './welcome-text.js';

let stack: Stack | undefined;
let ending: Promise<never> | undefined;

/** Stops whatever runs, once; the exit code says whether it was asked for. */
function end(exitCode: number): Promise<never> {
  ending ??= (async () => {
    await stack?.stop();
    process.exit(exitCode);
  })();
  return ending;
}

const print = (text: string) => process.stdout.write(`${text}\n`);

async function start(): Promise<void> {
  const settings = parseSettings(localSettings, process.env);
  stack = await prepareStack(settings, {
    step: (name, said, ms) =>
      print(`${(ms / 1000).toFixed(2).padStart(6)} s  ${name.padEnd(12)}${said ?? ''}`.trimEnd()),
    progress: (text) => print(`          ${text}`),
    line: (name, text) => print(`[${name}] ${text}`),
  });
  await stack.start();
  print(welcomeText(stack.places, stack.firstAdmin));
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    print(`${signal}: stopping`);
    void end(0);
  });
}
// Nobody reads us any more, e.g. the terminal is gone.
process.stdout.on('error', () => void end(0));
stopWithParent(() => void end(0));

try {
  await start();
} catch (error) {
  if (!ending) process.stderr.write(`hub: ${error instanceof Error ? error.message : String(error)}\n`);
  // Its password is stored hashed: what is not said now is lost.
  const made = stack?.firstAdmin;
  if (made) print(`the first admin was created: user ${made.username}, password ${made.password}`);
  await end(1);
}
