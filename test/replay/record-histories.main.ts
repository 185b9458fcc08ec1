/**
 * Records histories for `replay.spec.ts`: `node scripts/build.mjs`, then `node dist/test/replay/record-histories.main.js`.
 * A history that exists already is kept: today's code must go on from it. What was never released may be removed by
 * hand and recorded anew (docs/adr/0008-replay-policy.md).
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { repositoryRoot } from '../../local/repository.js';
import { startProofHub, type ProofHub } from '../../prove/proof-hub.js';
import { HubClient } from '../support/hub-client.js';
import { refusedModel, storyModels, StoryTeller, type ToldStories } from './record-stories.js';

const folder = join(repositoryRoot(), 'test', 'replay', 'histories');

const hub = await startProofHub({
  models: storyModels,
  environment: { INSTANCE_READY_TIMEOUT_SECONDS: '3', MAX_CONCURRENT_MODEL_INSTANCES: '12' },
  warmSeconds: 2,
});
try {
  await addRefusedModel(hub);
  const teller = new StoryTeller(hub, await HubClient.asGuest(hub.stack.url));
  const told: ToldStories = {
    ...(await teller.shortPath()),
    ...(await teller.lost()),
    ...Object.assign(
      {},
      ...(await Promise.all([
        teller.waiting(),
        teller.waitingForShortWork(),
        teller.cancelledWhileRunning(),
        teller.slices(),
        teller.outOfMemory(),
        teller.failing(),
      ])),
    ),
  };
  await write(told);
} finally {
  await hub.stop();
}

async function addRefusedModel({ rows }: ProofHub): Promise<void> {
  await rows(
    `insert into model (id, image, execution_mode, cpu_request_millicores, cpu_limit_millicores,
       memory_request_mebibytes, memory_limit_mebibytes) values ($1, $1, 'SYNC', 100, 1000, 64, 64)`,
    [refusedModel],
  );
}

async function write(told: ToldStories): Promise<void> {
  const connection = await Connection.connect({ address: hub.stack.temporalAddress });
  const { workflow } = new Client({ connection });
  mkdirSync(folder, { recursive: true });
  for (const [name, workflowId] of Object.entries(told)) {
    const file = join(folder, `${name}.json`);
    if (existsSync(file)) {
      console.log(`${name}: kept`);
      continue;
    }
    const handle = workflow.getHandle(workflowId);
    // Cancelled ones end by throwing; their histories are as good as any.
    await handle.result().catch(() => undefined);
    const history = JSON.parse(historyToJSON(await handle.fetchHistory())) as { events: unknown[] };
    const text = JSON.stringify({ workflowId, history }).replaceAll(namesOfThisMachine(), 'worker');
    writeFileSync(file, `${text}\n`);
    console.log(`${name}: ${history.events.length} events, ${text.length} bytes`);
  }
  await connection.close();
}

/** Workers and clients sign with process and machine; neither belongs into the repository. */
function namesOfThisMachine(): RegExp {
  return new RegExp(String.raw`\d+@${hostname()}|${hostname()}`, 'g');
}
