import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { OBSERVE_USAGE_WORKFLOW_ID } from '../workflows/observe-usage.messages.js';
import { mostAtOnce, type Span } from './count-overlaps.js';
import type { ProofContext } from './proof.js';
import type { ProofHub } from './proof-hub.js';

interface Places {
  readonly leases: number;
  readonly instances: number;
}

/** Longer than any idle time a proof sets, and twice what a lost word to an instance may cost. */
const quietWithinMs = 75_000;
/**
 * A workflow whose worker was killed in its last step, when its rows said already that all is done, takes that step again
 * once Temporal has given up its task: twice that time.
 */
const toldWithinMs = 20_000;

/** With nothing left to do every lease, place, model server and workflow must go; then the hub is stopped. */
export async function checkQuietAndStop(hub: ProofHub, { claim, say }: ProofContext): Promise<void> {
  const startedAt = Date.now();
  let places = await readPlaces(hub);
  while (Date.now() - startedAt < quietWithinMs && places.leases + places.instances > 0) {
    await sleep(250);
    places = await readPlaces(hub);
  }
  say('everything given back after', `${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  claim('no lease is left', places.leases === 0, places.leases);
  claim('no place is left', places.instances === 0, places.instances);
  const servers = await untilEmpty(() => hub.servers());
  claim('no model server is left', servers.length === 0, servers.join(' '));
  const workflows = await untilEmpty(() => runningWorkflows(hub));
  claim('no workflow is left', workflows.length === 0, workflows.slice(0, 3).join(' '));
  const left = await hub.stop();
  claim('no process is left after the stop', left.length === 0, left.join(' '));
}

async function readPlaces(hub: ProofHub): Promise<Places> {
  const [places] = await hub.rows<Places>(
    `select (select count(*)::int from instance_lease where state <> 'RELEASED') as leases,
       (select count(*)::int from model_instance where state <> 'TERMINATED') as instances`,
  );
  return places!;
}

/** Ids of all running request and instance workflows; the one that samples usage runs for ever. */
async function runningWorkflows(hub: ProofHub): Promise<string[]> {
  const connection = await Connection.connect({ address: hub.stack.temporalAddress });
  try {
    const ids: string[] = [];
    const { workflow } = new Client({ connection });
    for await (const { workflowId } of workflow.list({ query: `ExecutionStatus = 'Running'` }))
      if (workflowId !== OBSERVE_USAGE_WORKFLOW_ID) ids.push(workflowId);
    return ids;
  } finally {
    await connection.close();
  }
}

/** Asks until nothing is named any more; rows say so a moment before processes and lists do. */
async function untilEmpty<Item>(ask: () => Promise<readonly Item[]>): Promise<readonly Item[]> {
  const deadline = Date.now() + toldWithinMs;
  for (;;) {
    const items = await ask();
    if (items.length === 0 || Date.now() > deadline) return items;
    await sleep(200);
  }
}

/** The most places that existed at one moment, computed from what the rows say of their beginning and end. */
export async function mostPlacesAtOnce(hub: ProofHub): Promise<number> {
  return mostAtOnce(
    await hub.rows<Span>(
      `select extract(epoch from created_at)::float8 as start, extract(epoch from terminated_at)::float8 as "end"
         from model_instance`,
    ),
  );
}
