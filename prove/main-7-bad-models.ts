import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parseResidentBytes, readProcFile } from '../hosts/local/proc-files.js';
import { bytesToMebibytes } from '../domain/units.js';
import { HubClient } from '../test/support/hub-client.js';
import { checkQuietAndStop } from './check-quiet.js';
import type { Proof, ProofContext } from './proof.js';
import { type ProofHub, startProofHub } from './proof-hub.js';
import { expectedOfCounter, firstDifference, readTable } from './reference.js';

const runTimeoutSeconds = 2;
const readyTimeoutSeconds = 4;
const boundSeconds = 30;
const mostWorkerMebibytes = 500;
const entries = ['CCO', 'CCCO', 'CCCCO'];

interface Badness {
  readonly mode: string;
  /** What the reason must say, so that a user knows what happened. */
  readonly reason: RegExp;
}

const badModels: readonly Badness[] = [
  { mode: 'wrong-count', reason: /2 .*3|3 .*2/ },
  { mode: 'html', reason: /no JSON \(text\/html\): "<html>/ },
  { mode: 'huge', reason: /larger than 32 MiB/ },
  { mode: 'silent', reason: /did not answer the run within 2 s/ },
  { mode: 'dies', reason: /its server ended .*exit code 3/ },
  { mode: 'drip', reason: /did not answer the run within 2 s/ },
  { mode: 'redirect', reason: /HTTP 307/ },
  { mode: 'nan', reason: /no JSON .*NaN/ },
  { mode: 'never-ready', reason: /not ready within 4 s/ },
  { mode: 'crash-at-start', reason: /its server ended .*exit code 1/ },
];

/** One place only: whatever a model does, its request ends with a reason, and the next one is served in its place. */
export const main7BadModels: Proof = {
  name: 'main-7',
  title: 'models that answer wrongly, hugely, never or elsewhere',
  async run(context) {
    const canary = await startCanary();
    const hub = await startProofHub({
      models: [
        { id: 'good-counter', env: { MODE: 'good' } },
        ...badModels.map(({ mode }) => ({
          id: `bad-${mode}`,
          env: { MODE: mode, REDIRECT_TO: canary.url },
        })),
      ],
      environment: {
        MAX_CONCURRENT_MODEL_INSTANCES: '1',
        MODEL_RUN_TIMEOUT_SECONDS: String(runTimeoutSeconds),
        INSTANCE_READY_TIMEOUT_SECONDS: String(readyTimeoutSeconds),
      },
    });
    try {
      const client = await HubClient.asGuest(hub.stack.url);
      for (const badness of badModels) await oneBadModel(hub, client, badness, context);
      context.claim('the canary behind the redirect had no visit', canary.visits() === 0, canary.visits());
      await checkQuietAndStop(hub, context);
    } finally {
      await hub.stop();
      canary.server.close();
    }
  },
};

async function oneBadModel(
  hub: ProofHub,
  client: HubClient,
  { mode, reason }: Badness,
  { claim }: ProofContext,
): Promise<void> {
  const modelId = `bad-${mode}`;
  const memory = watchMemory(() => hub.stack.processes.worker);
  const failedIn = stopwatch();
  const { id } = await client.submitEntries(modelId, entries, false);
  const { request_status, request_status_reason: said } = await client.untilFinished(
    id,
    2 * boundSeconds * 1000,
  );
  const failedSeconds = failedIn();
  claim(
    `${mode}: FAILED within ${boundSeconds} s`,
    request_status === 'FAILED' && failedSeconds <= boundSeconds,
    `${failedSeconds.toFixed(1)} s`,
  );
  claim(`${mode}: the reason says what happened and what to do`, isActionable(said, reason), said ?? 'none');

  const servedIn = stopwatch();
  const good = await client.submitEntries('good-counter', entries, false);
  const served = await client.untilFinished(good.id, 2 * boundSeconds * 1000);
  const difference =
    served.request_status === 'COMPLETED'
      ? firstDifference(await readTable(client, good.id), entries, expectedOfCounter)
      : (served.request_status_reason ?? served.request_status);
  claim(
    `${mode}: its place is free again, the next request is served`,
    difference === null,
    difference ?? `${servedIn().toFixed(1)} s`,
  );
  const peak = memory.stop();
  claim(
    `${mode}: the worker stays under ${mostWorkerMebibytes} MiB`,
    peak < mostWorkerMebibytes,
    `${peak} MiB`,
  );
}

function isActionable(said: string | null, reason: RegExp): boolean {
  return said !== null && reason.test(said) && /\b(tell|ask|choose|try|send)\b/i.test(said);
}

const stopwatch = () => {
  const startedAt = performance.now();
  return () => (performance.now() - startedAt) / 1000;
};

/** The largest resident size of a process, in MiB, looked at every 20 ms. */
function watchMemory(pid: () => number | undefined): { stop(): number } {
  let peak = 0;
  const timer = setInterval(() => {
    const statm = readProcFile(pid() ?? -1, 'statm');
    if (statm !== null) peak = Math.max(peak, parseResidentBytes(statm));
  }, 20);
  return {
    stop() {
      clearInterval(timer);
      return Math.round(bytesToMebibytes(peak));
    },
  };
}

/** An address inside the network that a model might send the hub to. */
async function startCanary(): Promise<{ server: Server; url: string; visits(): number }> {
  let visits = 0;
  const server = createServer((_request, response) => {
    visits += 1;
    response.end('[]');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}/secret`, visits: () => visits };
}
