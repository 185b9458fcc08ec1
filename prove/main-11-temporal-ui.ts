import { setTimeout as sleep } from 'node:timers/promises';
import { userHash } from '../temporal/workflow-starts.js';
import { HubClient } from '../test/support/hub-client.js';
import { type ProofHub, startProofHub } from './proof-hub.js';
import type { Proof, ProofContext } from './proof.js';
import { type ListedWorkflow, TemporalUi } from './temporal-ui.js';

/** The list is a moment behind, and so is a workflow behind the rows. */
const VISIBLE_MS = 10_000;
const FINISH_MS = 60_000;
const MOLECULES = ['CC(=O)Oc1ccccc1C(=O)O', 'Cn1c(=O)c2c(ncn2C)n(C)c1=O', 'CC(=O)Nc1ccc(O)cc1'];

/** An operator finds what runs, and can read it, in the Temporal UI. */
export const temporalUiProof: Proof = {
  name: 'main-11',
  title: 'the Temporal UI finds workflows by model, user hash and instance, and shows readable words',
  async run(context) {
    const hub = await startProofHub({ models: [], warmSeconds: 60 });
    try {
      await prove(context, hub);
    } finally {
      await hub.stop();
    }
  },
};

async function prove(context: ProofContext, hub: ProofHub): Promise<void> {
  const [first, second] = [await HubClient.asGuest(hub.stack.url), await HubClient.asGuest(hub.stack.url)];
  // A model that may not start keeps its request waiting, in words that can be read.
  await hub.rows(`update model set max_instances = 0 where id = 'eos-solubility'`);
  const finished = [
    await submit(first, 'eos-physchem'),
    await submit(first, 'eos-physchem'),
    await submit(second, 'eos-morgan'),
  ];
  const waiting = await second.submitEntries('eos-solubility', MOLECULES);
  for (const { client, id } of finished) await client.untilFinished(id, FINISH_MS);

  const ui = new TemporalUi(hub.stack);
  await proveSearches(context, hub, ui, [first, second]);
  await proveWords(context, ui, finished[0]!.id, waiting.id);
}

async function submit(client: HubClient, modelId: string) {
  const { id } = await client.submitEntries(modelId, MOLECULES);
  return { client, id };
}

async function proveSearches(
  { claim, say }: ProofContext,
  hub: ProofHub,
  ui: TemporalUi,
  users: readonly HubClient[],
): Promise<void> {
  const searches = await expectedSearches(hub, users);
  let all = '';
  for (const { query, expected } of searches) {
    const { found, text } = await listWhole(ui, query, expected.length);
    all += text;
    const ids = found.map(({ workflowId }) => workflowId).toSorted();
    claim(`${query} finds exactly its workflows`, ids.join() === expected.toSorted().join(), ids.length);
  }
  say('searches', searches.length);
  const told = [...MOLECULES, ...users.map(({ userId }) => userId)].filter((secret) => holds(all, secret));
  claim('no molecule and no user id stands in what the list says', told.length === 0, told[0]);
}

/** Values stand in the answer as base64 of JSON. */
const holds = (text: string, secret: string) =>
  text.includes(secret) || text.includes(Buffer.from(JSON.stringify(secret)).toString('base64'));

async function expectedSearches(
  hub: ProofHub,
  users: readonly HubClient[],
): Promise<{ query: string; expected: string[] }[]> {
  const requests = await hub.rows<{ workflow: string; user_id: string; model_id: string }>(
    `select 'work-request-' || id || '-' || run_key as workflow, user_id, model_id from work_request`,
  );
  const instances = await hub.rows<{ id: string; model_id: string }>(
    `select id, model_id from model_instance`,
  );
  const models = ['eos-physchem', 'eos-morgan', 'eos-solubility'];
  return [
    ...models.map((modelId) => ({
      query: `HubModelId = "${modelId}"`,
      expected: [
        ...requests.filter(({ model_id }) => model_id === modelId).map(({ workflow }) => workflow),
        ...instances.filter(({ model_id }) => model_id === modelId).map(({ id }) => `model-instance-${id}`),
      ],
    })),
    ...users.map(({ userId }) => ({
      query: `HubUserHash = "${userHash(userId)}"`,
      expected: requests.filter(({ user_id }) => user_id === userId).map(({ workflow }) => workflow),
    })),
    ...instances.map(({ id }) => ({ query: `HubInstanceId = "${id}"`, expected: [`model-instance-${id}`] })),
  ];
}

async function listWhole(ui: TemporalUi, query: string, count: number) {
  const deadline = Date.now() + VISIBLE_MS;
  for (;;) {
    const { workflows: found, text } = await ui.list(query);
    if (found.length >= count || Date.now() > deadline) return { found, text };
    await sleep(100);
  }
}

async function proveWords(
  { claim }: ProofContext,
  ui: TemporalUi,
  finishedId: number,
  waitingId: number,
): Promise<void> {
  const running = (await listWhole(ui, `HubInstanceId IS NOT NULL`, 1)).found;
  const ofRequest = async (id: number) =>
    (await listWhole(ui, `WorkflowId STARTS_WITH "work-request-${id}-"`, 1)).found[0]!;
  const instance = running.find(({ status }) => status.endsWith('RUNNING'))!;
  const words: [what: string, workflow: ListedWorkflow, summary: RegExp, details: RegExp][] = [
    [
      'a finished request',
      await ofRequest(finishedId),
      new RegExp(`^Request ${finishedId}: 3 rows for eos-physchem$`),
      /^Finished$/,
    ],
    [
      'a waiting request',
      await ofRequest(waitingId),
      new RegExp(`^Request ${waitingId}: 3 rows for eos-solubility$`),
      /^Waiting: No instance of this model may start: its limit is 0\.$/,
    ],
    ['an instance', instance, /^Instance of eos-(physchem|morgan)$/, /^Ready$/],
  ];
  for (const [what, workflow, summary, details] of words) {
    const said = await ui.summary(workflow);
    claim(`the summary of ${what} can be read`, summary.test(said ?? ''), said ?? 'none');
    const now = await detailsLike(details, () => ui.currentDetails(workflow));
    claim(`the current details of ${what} can be read`, details.test(now ?? ''), now ?? 'none');
  }
}

/** What a workflow says of itself, as soon as it says what is meant, or at last. */
async function detailsLike(meant: RegExp, ask: () => Promise<string | null>): Promise<string | null> {
  const deadline = Date.now() + VISIBLE_MS;
  for (;;) {
    const said = await ask();
    if (meant.test(said ?? '') || Date.now() > deadline) return said;
    await sleep(100);
  }
}
