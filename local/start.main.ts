import { parseSettings } from '../domain/settings.js';
import { localSettings } from './local.config.js';
import { stopWithParent } from './stop-with-parent.js';
import { prepareStack, type Stack } from './stack.js';
import { welcomeText } from './welcome-text.js';

const stopping = new AbortController();
let preparing: Promise<Stack> | undefined;
let stack: Stack | undefined;
let isReady = false;
let ending: Promise<never> | undefined;

/** Stops whatever runs, once; the exit code says whether a hub ran and was asked to stop. */
function end(exitCode: number): Promise<never> {
  ending ??= (async () => {
    stopping.abort(new Error('the start was ended'));
    // Why it could not be prepared is told below.
    const prepared = await preparing?.catch(() => undefined);
    await prepared?.stop();
    process.exit(exitCode);
  })();
  return ending;
}
const stopAsAsked = () => void end(isReady ? 0 : 1);

const print = (text: string) => process.stdout.write(`${text}\n`);

async function start(): Promise<void> {
  const settings = parseSettings(localSettings, process.env);
  const reports = {
    step: (name: string, said: string | undefined, ms: number) =>
      print(`${(ms / 1000).toFixed(2).padStart(6)} s  ${name.padEnd(12)}${said ?? ''}`.trimEnd()),
    progress: (text: string) => print(`          ${text}`),
    line: (name: string, text: string) => print(`[${name}] ${text}`),
  };
  preparing = prepareStack(settings, reports, stopping.signal);
  stack = await preparing;
  await stack.start();
  isReady = true;
  print(welcomeText(stack.places, stack.firstAdmin));
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    print(`${signal}: stopping`);
    stopAsAsked();
  });
}
// Nobody reads us any more, e.g. the terminal is gone.
process.stdout.on('error', stopAsAsked);
stopWithParent(stopAsAsked);

try {
  await start();
} catch (error) {
  if (!ending) process.stderr.write(`hub: ${error instanceof Error ? error.message : String(error)}\n`);
  // Its password is stored hashed: what is not said now is lost.
  const made = stack?.firstAdmin;
  if (made) print(`the first admin was created: user ${made.username}, password ${made.password}`);
  await end(1);
}
