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
import { failingModels, FailureTeller } from './record-failures.js';
import { InterventionTeller, visitedModels } from './record-interventions.js';
import { refusedModel, storyModels, StoryTeller } from './record-stories.js';
import { StoryStage, type ToldStories } from './story-stage.js';

const folder = join(repositoryRoot(), 'test', 'replay', 'histories');

const hub = await startProofHub({
  models: [...storyModels, ...failingModels, ...visitedModels],
  environment: {
    INSTANCE_READY_TIMEOUT_SECONDS: '3',
    INSTANCE_PENDING_TIMEOUT_SECONDS: '4',
    MODEL_RUN_TIMEOUT_SECONDS: '6',
    MAX_CONCURRENT_MODEL_INSTANCES: '40',
  },
  warmSeconds: 2,
});
const connection = await Connection.connect({ address: hub.stack.temporalAddress });
const { workflow } = new Client({ connection });
try {
  await addRefusedModel(hub);
  const stage = await StoryStage.open(hub);
  await tellUsual(new StoryTeller(stage));
  await tellInterventions(new InterventionTeller(stage));
  await tellFailures(new FailureTeller(stage));
} finally {
  await connection.close();
  await hub.stop();
}

/** The first ones and the lost one are told alone: what else runs would change them, or be changed by them. */
async function tellUsual(teller: StoryTeller): Promise<void> {
  await write(await teller.shortPath());
  await write(await teller.lost());
  await writeAll([
    teller.waiting(),
    teller.waitingForShortWork(),
    teller.cancelledWhileRunning(),
    teller.slices(),
    teller.outOfMemory(),
    teller.failing(),
  ]);
}

async function tellInterventions(teller: InterventionTeller): Promise<void> {
  await writeAll([
    teller.jobs(),
    teller.cancelledWhileStarting(),
    teller.waitingForTheModel(),
    teller.sliceNotNeeded(),
    teller.stopped(),
    teller.revised(),
    teller.slicesCancelled(),
  ]);
  await write(
    await teller.endedByHand(async (workflowId) => {
      await workflow.getHandle(workflowId).terminate('ended by hand');
    }),
  );
}

async function tellFailures(teller: FailureTeller): Promise<void> {
  await writeAll([
    teller.badModels().then((told) => Object.assign({}, ...told) as ToldStories),
    teller.outOfMemoryForGood(),
    teller.neverPlaced(),
    teller.tooLongForTheShortPath(),
  ]);
  await write(await teller.workerKilled());
  await write(await teller.hostKilled());
  await write(await teller.temporalKilled());
}

async function writeAll(stories: Promise<ToldStories>[]): Promise<void> {
  await write(Object.assign({}, ...(await Promise.all(stories))) as ToldStories);
}

async function addRefusedModel({ rows }: ProofHub): Promise<void> {
  await rows(
    `insert into model (id, image, execution_mode, cpu_request_millicores, cpu_limit_millicores,
       memory_request_mebibytes, memory_limit_mebibytes) values ($1, $1, 'SYNC', 100, 1000, 64, 64)`,
    [refusedModel],
  );
}

async function write(told: ToldStories): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, workflowId] of Object.entries(told)) {
    const file = join(folder, `${name}.json`);
    if (existsSync(file)) {
      console.log(`${name}: kept`);
      continue;
    }
    const handle = workflow.getHandle(workflowId);
    // Those that were cancelled or ended by hand throw; their histories are as good as any.
    await handle.result().catch(() => undefined);
    const history = JSON.parse(historyToJSON(await handle.fetchHistory())) as { events: unknown[] };
    const text = JSON.stringify({ workflowId, history }).replaceAll(namesOfThisMachine(), 'worker');
    writeFileSync(file, `${text}\n`);
    console.log(`${name}: ${history.events.length} events, ${text.length} bytes`);
  }
}

/** Workers and clients sign with process and machine; neither belongs into the repository. */
function namesOfThisMachine(): RegExp {
  return new RegExp(String.raw`\d+@${hostname()}|${hostname()}`, 'g');
}
