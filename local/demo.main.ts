import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSettings } from '../domain/settings.js';
import { findRunningHub } from './find-running-hub.js';
import { localSettings } from './local.config.js';
import { freePort } from './ports.js';
import { repositoryRoot } from './repository.js';
import { runExample } from './run-example.js';
import { prepareStack, type Stack } from './stack.js';
import { stopWithParent } from './stop-with-parent.js';

const rememberedLines = 30;
const processLines: string[] = [];
const stopping = new AbortController();
let preparing: Promise<Stack> | undefined;
let dataDirectory: string | undefined;
let ending: Promise<never> | undefined;

/** Everything but the result goes beside it, so that the result can be sent to a file. */
const tell = (line: string) => process.stderr.write(`${line}\n`);

/** Stops and removes what we started, once. */
function end(exitCode: number): Promise<never> {
  ending ??= (async () => {
    stopping.abort(new Error('the demo was ended'));
    // Why it could not be prepared is told below.
    const stack = await preparing?.catch(() => undefined);
    await stack?.stop();
    if (dataDirectory !== undefined) await rm(dataDirectory, { recursive: true, force: true });
    process.exit(exitCode);
  })();
  return ending;
}

/** A hub that leaves nothing behind: on a free port, with its data in a temporary folder. */
async function startHub(): Promise<string> {
  dataDirectory = await mkdtemp(join(tmpdir(), 'hub-demo-'));
  const place = { HUB_DATA_DIR: dataDirectory, HOST: '127.0.0.1', PORT: String(await freePort()) };
  const reports = {
    step: (name: string, said: string | undefined, ms: number) =>
      tell(`${(ms / 1000).toFixed(2).padStart(6)} s  ${name.padEnd(12)}${said ?? ''}`.trimEnd()),
    progress: tell,
    line: (name: string, text: string) => {
      processLines.push(`[${name}] ${text}`);
      if (processLines.length > rememberedLines) processLines.shift();
    },
  };
  const settings = parseSettings(localSettings, { ...process.env, ...place });
  preparing = prepareStack(settings, reports, stopping.signal);
  const stack = await preparing;
  await stack.start();
  return stack.places.url;
}

async function demo(): Promise<void> {
  const { PORT } = parseSettings(localSettings, process.env);
  const running = await findRunningHub(PORT);
  tell(running ? `a hub runs at ${running}` : 'no hub runs: starting one for this demo');
  const csv = await readFile(join(repositoryRoot(), 'examples', 'five-molecules.csv'), 'utf8');
  const result = await runExample(running ?? (await startHub()), { modelId: 'eos-physchem', csv }, tell);
  process.stdout.write(result);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(1));
stopWithParent(() => void end(1));

try {
  await demo();
  await end(0);
} catch (error) {
  if (!ending) {
    for (const line of processLines) tell(line);
    tell(`demo: ${error instanceof Error ? error.message : String(error)}`);
  }
  await end(1);
}
