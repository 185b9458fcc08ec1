import { setTimeout as sleep } from 'node:timers/promises';
import type { HubClient } from '../test/support/hub-client.js';
import { waitUntil } from '../test/support/wait-until.js';
import type { ProofContext } from './proof.js';
import type { ProofHub } from './proof-hub.js';
import { type Expectation, firstDifference, readTable } from './reference.js';
import type { AcceptedRequest } from './steady-load.js';

interface RequestEnd {
  readonly id: number;
  readonly state: string;
  readonly reason: string | null;
  readonly terminal_events: number;
  readonly statistics: number;
}

/** Waits until no request is open. @returns after how many ms, or null when some still are after `withinMs` */
export async function untilNoneOpen(
  hub: ProofHub,
  sinceMs: number,
  withinMs: number,
): Promise<number | null> {
  for (;;) {
    const open = await countOpen(hub);
    const tookMs = Date.now() - sinceMs;
    if (open === 0) return tookMs;
    if (tookMs > withinMs) return null;
    await sleep(200);
  }
}

/** Claims that no request is open any more `withinMs` after `sinceMs`, and says how long it took. */
export async function claimAllFinish(
  hub: ProofHub,
  { claim }: Pick<ProofContext, 'claim'>,
  sentence: string,
  { sinceMs, withinMs }: { readonly sinceMs: number; readonly withinMs: number },
): Promise<void> {
  const tookMs = await untilNoneOpen(hub, sinceMs, withinMs);
  claim(sentence, tookMs !== null, tookMs === null ? 'some are open' : `${(tookMs / 1000).toFixed(1)} s`);
}

/** Null while the database can't be asked. */
async function countOpen(hub: ProofHub): Promise<number | null> {
  const counted = hub.rows<{ open: number }>(
    `select count(*)::int as open from work_request where state in ('QUEUED', 'SCHEDULING', 'PROCESSING')`,
  );
  return counted.then(
    ([row]) => row!.open,
    () => null,
  );
}

/**
 * Holds every accepted request to what must be true of it: it exists, ended well exactly once, and its rows are those
 * of the reference, in the order of its input. Requests whose acceptance nobody saw must have ended once too.
 */
export async function checkRequests(
  hub: ProofHub,
  client: HubClient,
  accepted: readonly AcceptedRequest[],
  expectations: Readonly<Record<string, Expectation>>,
  { claim, say }: ProofContext,
): Promise<void> {
  await untilServing(client);
  const ends = await readEnds(hub);
  const lost = accepted.filter(({ id }) => !ends.has(id));
  const wrongEnd = accepted.filter(({ id }) => ends.get(id)?.state !== 'COMPLETED');
  const notOnce = [...ends.values()].filter(
    ({ terminal_events, statistics }) => terminal_events !== 1 || statistics !== 1,
  );
  claim('no accepted request is lost', lost.length === 0, `${accepted.length} accepted, ${lost.length} lost`);
  claim(
    'every accepted request is COMPLETED',
    wrongEnd.length === 0,
    wrongEnd
      .slice(0, 3)
      .map(({ id }) => describe(ends.get(id)))
      .join('; '),
  );
  claim(
    'every request in the database ended exactly once, by its events and by its statistic',
    notOnce.length === 0,
    `${ends.size} requests${notOnce.slice(0, 3).map(describe).join('; ')}`,
  );
  say('requests whose acceptance was not seen', ends.size - accepted.length);

  const wrong: string[] = [];
  for (const { id, modelId, entries } of accepted.filter((request) => !wrongEnd.includes(request))) {
    const difference = firstDifference(await readTable(client, id), entries, expectations[modelId]!);
    if (difference !== null) wrong.push(`request ${id}: ${difference}`);
  }
  const rows = accepted.reduce((sum, { entries }) => sum + entries.length, 0);
  claim('every row of every result is as expected, in order', wrong.length === 0, wrong[0] ?? `${rows} rows`);
}

/** What was killed last may be the api that is asked for the results. */
async function untilServing(client: HubClient): Promise<void> {
  const isReady = async () => {
    const answer = await client.fetch('/readyz').catch(() => null);
    await answer?.arrayBuffer();
    return answer?.ok || undefined;
  };
  await waitUntil(`the api at ${client.baseUrl} to serve`, isReady, { withinMs: 60_000, everyMs: 200 });
}

async function readEnds(hub: ProofHub): Promise<Map<number, RequestEnd>> {
  const ends = await hub.rows<RequestEnd>(
    `select r.id::int, r.state, r.failure->>'message' as reason,
       (select count(*)::int from work_request_event e where e.expires_on = r.expires_on and e.request_id = r.id
          and e.type in ('completed', 'failed', 'cancelled')) as terminal_events,
       (select count(*)::int from request_statistic s where s.request_id = r.id and s.state = r.state) as statistics
     from work_request r`,
  );
  return new Map(ends.map((end) => [end.id, end]));
}

function describe(end: RequestEnd | undefined): string {
  if (!end) return 'a lost one';
  const { id, state, reason, terminal_events, statistics } = end;
  return `request ${id}: ${state} ${reason ?? ''} (${terminal_events} ends, ${statistics} statistics)`;
}
