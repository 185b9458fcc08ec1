import { HubClient } from '../test/support/hub-client.js';
import { waitUntil } from '../test/support/wait-until.js';
import type { ClusterHub } from './cluster-hub.js';
import type { ProofContext } from './proof.js';
import { chains } from './steady-load.js';

/** It works for a minute, which several passes of the usage observer fall into. */
const modelId = 'long-worker';
const pace = { withinMs: 30_000, everyMs: 50 };

/** What the answers of an instance's routes hold of what is read here. */
interface Answers {
  readonly logs?: readonly string[];
  readonly items?: readonly {
    readonly instance_id?: string;
    readonly memory_running_averages?: { readonly max: number };
    readonly model_instance?: { readonly state: string; readonly termination_reason: string | null };
  }[];
}

/** Of an instance that works, an operator reads the log and the use at either api process, and stops it at the second. */
export async function askAnyProcess(
  hub: ClusterHub,
  { claim }: ProofContext,
  secondUrl: string,
): Promise<void> {
  const { url, adminPassword } = hub.stack;
  const first = await HubClient.asUser(url, 'admin', adminPassword ?? '');
  const second = first.at(secondUrl);
  const atBoth = (path: string) =>
    Promise.all([first, second].map(async (at) => (await (await at.fetch(path)).json()) as Answers));
  const client = await HubClient.asGuest(url);
  const { id } = await client.submitEntries(modelId, chains(3000), false);
  const instanceId = await waitUntil('an instance that works', () => workingFor(hub, id), pace);
  const logs = (await atBoth(`/api/instances/${instanceId}/logs`)).map((answer) => answer.logs?.[0]);
  const isRead = logs.every((line) => line?.includes(' listens on ')) && new Set(logs).size === 1;
  claim('the log of an instance that works is read at both api processes', isRead, logs[0]);

  const useAtBoth = async (state: string) =>
    (await atBoth(`/api/metrics/instances?${state}&model_id=${modelId}`)).map(
      ({ items = [] }) => items.find((item) => item.instance_id === instanceId)?.memory_running_averages?.max,
    );
  const isTold = (used: readonly (number | undefined)[]) => (used[0] ?? 0) > 0 && new Set(used).size === 1;
  /** Both are asked at once, but not in the same moment, and more may have been measured in between. */
  const toldUse = (what: string, state: string) =>
    waitUntil(
      what,
      async () => {
        const used = await useAtBoth(state);
        return isTold(used) ? used : undefined;
      },
      pace,
    );
  const used = await toldUse('the use of the instance told by both', 'active=true&persisted=false');
  claim('what it uses is told by both while it works', isTold(used), used.join(' '));

  const stopped = await second.fetch('/api/instances/actions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'STOP_INSTANCE', instance_id: instanceId, reason: 'a proof' }),
  });
  claim('an instance is stopped at the second api process', stopped.ok, stopped.status);
  const ends = await waitUntil(
    'the end of the stopped instance at both',
    () => endsAt(atBoth, instanceId),
    pace,
  );
  claim(
    'and has ended by that at both',
    ends.every((reason) => reason === 'STOPPED'),
    ends.join(' '),
  );
  const usedInAll = await toldUse(
    'the use of the ended instance told by both',
    'active=false&persisted=true',
  );
  claim('and what it used is told by both after its end', isTold(usedInAll), usedInAll.join(' '));
  await client.cancel(id);
  await client.untilFinished(id, pace.withinMs, pace.everyMs);
}

async function workingFor(hub: ClusterHub, requestId: number): Promise<string | undefined> {
  const [working] = await hub.rows<{ id: string }>(
    `select i.id from instance_lease l join model_instance i on i.id = l.instance_id
      where l.request_id = $1 and l.state = 'GRANTED' and i.state = 'ACTIVE' limit 1`,
    [requestId],
  );
  return working?.id;
}

async function endsAt(
  atBoth: (path: string) => Promise<readonly Answers[]>,
  instanceId: string,
): Promise<readonly (string | null)[] | undefined> {
  const shown = (await atBoth(`/api/instances?instance_id=${instanceId}`)).map(
    ({ items }) => items?.[0]?.model_instance,
  );
  if (!shown.every((instance) => instance?.state === 'TERMINATED')) return undefined;
  return shown.map((instance) => instance?.termination_reason ?? null);
}
