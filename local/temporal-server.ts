import { setTimeout as sleep } from 'node:timers/promises';
import { instanceIdAttribute, modelIdAttribute, userHashAttribute } from '../temporal/search-attributes.js';
import type { Launch } from './launch.js';

/** One Temporal development server of ours. */
export interface TemporalServer {
  /** The vendor's command line program. */
  readonly program: string;
  /** Its folder: whoever still works in it is a left-over of an earlier start. */
  readonly directory: string;
  /** Null keeps everything in memory. */
  readonly databaseFile: string | null;
  readonly port: number;
  readonly uiPort: number;
  /** The same service over HTTP and JSON; we ask it whether the server serves. */
  readonly httpPort: number;
}

export const temporalNamespace = 'default';

const searchAttributeNames = [modelIdAttribute, userHashAttribute, instanceIdAttribute].map(
  ({ name }) => name,
);

/**
 * The server's history shard may ask for its tasks this often; its default adds 50 ms to every step of a workflow.
 * The transfer queue carries the effect, the other three keep pace.
 */
const processorPollsPerSecond = 2000;
const processors = ['transfer', 'timer', 'visibility', 'outbound'] as const;

/**
 * After a few workers died in the middle of one workflow's task the server waits ever longer before it gives the task to
 * another, in the end ten minutes. Here workers die for reasons that are not the workflow's.
 */
const longestTaskRetry = 'history.workflowTaskRetryMaxInterval="2s"';

/** A crash of the machine loses nothing (FULL), at about a tenth of the throughput; tests may say NORMAL or OFF. */
export type Durability = 'FULL' | 'NORMAL' | 'OFF';

/** How to start the server, tuned for steps of a few milliseconds, with its UI. */
export function temporalLaunch(server: TemporalServer, durability: Durability): Launch {
  const file =
    server.databaseFile === null
      ? []
      : [
          `--db-filename=${server.databaseFile}`,
          '--sqlite-pragma=journal_mode=WAL',
          `--sqlite-pragma=synchronous=${durability}`,
        ];
  return {
    command: server.program,
    args: [
      'server',
      'start-dev',
      '--ip=127.0.0.1',
      `--port=${server.port}`,
      `--ui-port=${server.uiPort}`,
      `--http-port=${server.httpPort}`,
      '--ui-disable-news-fetch',
      '--log-level=error',
      ...file,
      ...processors.flatMap((name) => [
        '--dynamic-config-value',
        `history.${name}ProcessorMaxPollRPS=${processorPollsPerSecond}`,
      ]),
      '--dynamic-config-value',
      longestTaskRetry,
      ...searchAttributeNames.map((name) => `--search-attribute=${name}=Keyword`),
    ],
    workingDirectory: server.directory,
    deathSignal: 'SIGTERM',
  };
}

/**
 * Resolves when the server knows our namespace and search attributes, asked every 20 ms: then
 * workflows can be started. Asking through the UI's port would cost a second of its own connection's back-off.
 * @throws Error with the last answer when the signal ends the wait.
 */
export async function waitForTemporal(server: TemporalServer, signal: AbortSignal): Promise<void> {
  for (;;) {
    const problem = await askForSearchAttributes(server.httpPort);
    if (problem === undefined) return;
    if (signal.aborted) {
      throw new Error(`Temporal on port ${server.port} does not serve: ${problem}`);
    }
    await sleep(20);
  }
}

/**
 * Resolves when the server answers at all, if only that it has too much to do.
 * @throws Error when nobody answers, or only that nobody behind it does
 */
export async function askTemporal(server: TemporalServer, signal: AbortSignal): Promise<void> {
  const { status } = await fetch(searchAttributesUrl(server.httpPort), { signal });
  if (status >= 500) throw new Error(`it answered ${status}`);
}

const searchAttributesUrl = (httpPort: number) =>
  `http://127.0.0.1:${httpPort}/api/v1/namespaces/${temporalNamespace}/search-attributes`;

async function askForSearchAttributes(httpPort: number): Promise<string | undefined> {
  try {
    const response = await fetch(searchAttributesUrl(httpPort), { signal: AbortSignal.timeout(2000) });
    const body = await response.text();
    if (!response.ok) return `${response.status} ${body.slice(0, 200)}`;
    const missing = searchAttributeNames.filter((name) => !body.includes(`"${name}"`));
    return missing.length === 0
      ? undefined
      : `search attributes ${missing.join(', ')} are not registered yet`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
