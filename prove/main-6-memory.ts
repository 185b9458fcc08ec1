import { mebibytesToBytes } from '../domain/units.js';
import { HubClient } from '../test/support/hub-client.js';
import { checkQuietAndStop } from './check-quiet.js';
import type { Proof, ProofContext } from './proof.js';
import { type ProofHub, startProofHub } from './proof-hub.js';
import { expectedOfCounter, firstDifference, readTable } from './reference.js';
import { chains } from './steady-load.js';

const shardRows = 1000;
const firstLimitMebibytes = 160;
const largestNodeMebibytes = 768;
/** Twice this is more than the largest node holds. */
const firstLimitNearTheCapMebibytes = 400;
/** The row that makes the model eat; it lies in the last of three shards. */
const marker = 'OBr';
/** It holds its memory so long that the host looks at it many times, also beside much other work. */
const eatsMs = '1500';
const finishWithinMs = 60_000;

/** Out of memory: the same request goes on with more, only with what was not finished; beyond the cap it says why. */
export const main6Memory: Proof = {
  name: 'main-6',
  title: 'a model that eats memory is killed, healed with more, and given up beyond the cap',
  async run(context) {
    const eater = (id: string, eats: number, limit: number, maxInstances = 1) => ({
      id,
      env: { MODE: 'eats-memory', EATS_MIB: String(eats), EATS_MS: eatsMs, EATS_MARKER: marker },
      memoryLimitMebibytes: limit,
      maxInstances,
    });
    const hub = await startProofHub({
      models: [
        eater('eats-some', 150, firstLimitMebibytes),
        eater('eats-with-two', 150, firstLimitMebibytes, 2),
        eater('eats-a-lot', 700, firstLimitMebibytes),
        eater('eats-too-much', 900, firstLimitNearTheCapMebibytes),
      ],
      environment: { LOCAL_NODE_MEMORY_MIB: String(largestNodeMebibytes) },
    });
    try {
      const client = await HubClient.asGuest(hub.stack.url);
      await isHealed(hub, client, 'eats-some', context);
      if (!context.small) await isHealed(hub, client, 'eats-with-two', context);
      await isGivenUp(client, 'eats-a-lot', /ran out of memory 3 times, at last with 640 MiB/, context);
      await isGivenUp(client, 'eats-too-much', /no node can give it more.*768 MiB/, context);
      await limitsWere(hub, context);
      await checkQuietAndStop(hub, context);
    } finally {
      await hub.stop();
    }
  },
};

async function isHealed(
  hub: ProofHub,
  client: HubClient,
  modelId: string,
  { claim, say }: ProofContext,
): Promise<void> {
  const entries = [...chains(2 * shardRows + 500), marker];
  const startedAt = Date.now();
  const { id } = await client.submitEntries(modelId, entries, false);
  const { request_status, request_status_reason, progress } = await client.untilFinished(id, finishWithinMs);
  claim(`${modelId}: the request is healed`, request_status === 'COMPLETED', request_status_reason ?? '');
  say(`${modelId}: done after`, `${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  const difference = firstDifference(await readTable(client, id), entries, expectedOfCounter);
  claim(`${modelId}: every row is as expected`, difference === null, difference ?? entries.length);

  const computed = hub.calls(modelId).flatMap(({ rows }) => rows);
  const servers = new Set(hub.calls(modelId).map(({ pid }) => pid)).size;
  claim(
    `${modelId}: the model server answered each row once, so no finished shard was computed again`,
    computed.length === entries.length && new Set(computed).size === entries.length,
    `${computed.length} rows in ${hub.calls(modelId).length} calls of ${servers} servers`,
  );
  claim(`${modelId}: the request says how often it was tried`, progress.attempts >= 1, progress.attempts);
  const [kills] = await hub.rows<{ memory_kills: number; memory_bytes: number; told: number }>(
    `select memory_kills, memory_bytes::float8, (select count(*)::int from work_request_event e
       where e.expires_on = r.expires_on and e.request_id = r.id and e.type = 'out-of-memory') as told
     from work_request r where id = $1`,
    [id],
  );
  claim(
    `${modelId}: it was killed once, which its timeline tells`,
    kills!.memory_kills === 1 && kills!.told === 1,
  );
  claim(
    `${modelId}: it was healed with twice the memory`,
    kills!.memory_bytes === mebibytesToBytes(2 * firstLimitMebibytes),
    kills!.memory_bytes,
  );
}

async function isGivenUp(
  client: HubClient,
  modelId: string,
  reason: RegExp,
  { claim, say }: ProofContext,
): Promise<void> {
  const startedAt = Date.now();
  const { id } = await client.submitEntries(modelId, ['CCO', marker], false);
  const { request_status, request_status_reason } = await client.untilFinished(id, finishWithinMs);
  say(`${modelId}: ended after`, `${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  claim(
    `${modelId}: beyond the cap it is FAILED with the reason`,
    request_status === 'FAILED' && reason.test(request_status_reason ?? ''),
    `${request_status}: ${request_status_reason}`,
  );
}

/** The model's own setting stays; instances got the sizes that were asked for, and none used much more than its own. */
async function limitsWere(hub: ProofHub, { claim, say }: ProofContext): Promise<void> {
  const instances = await hub.rows<{ model_id: string; limit: number; peak: number | null; reason: string }>(
    `select model_id, (memory_limit_bytes / 1048576)::int as limit, (peak_memory_bytes / 1048576)::int as peak,
       termination_reason as reason from model_instance order by model_id, created_at`,
  );
  for (const { model_id, limit, peak, reason } of instances)
    say(`instance of ${model_id}`, `limit ${limit} MiB, peak ${peak} MiB, ${reason ?? 'lives'}`);
  const limitsOf = (modelId: string) =>
    instances.filter(({ model_id }) => model_id === modelId).map(({ limit }) => limit);
  claim('the limit doubles from instance to instance', limitsOf('eats-a-lot').join() === '160,320,640');
  claim('the last limit is all of the largest node', limitsOf('eats-too-much').join() === '400,768');
  const [model] = await hub.rows<{ memory_limit_mebibytes: number }>(
    `select memory_limit_mebibytes from model where id = 'eats-some'`,
  );
  claim("the model's own setting stays", model!.memory_limit_mebibytes === firstLimitMebibytes);
}
