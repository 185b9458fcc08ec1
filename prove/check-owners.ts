import { setTimeout as sleep } from 'node:timers/promises';
import { INSTANCE_LABEL, ownLabels } from '../hosts/kubernetes/hub-labels.js';
import type { ClusterHub } from './cluster-hub.js';
import { type OwnerRow, ownerlessMs, type WatchedPod, wasEndedInUse } from './pod-owners.js';
import type { ProofContext } from './proof.js';

const hearWithinMs = 10_000;

/** The instance that a pod says it stands for. */
export const instanceOf = ({ labels }: WatchedPod): string => labels[INSTANCE_LABEL] ?? '';

/** What the watch saw of the hub's pods, held against what the rows say of their owners. */
export async function checkOwners(hub: ClusterHub, { claim, say }: ProofContext): Promise<void> {
  // Before the rows: of a pod whose end is seen here they must say so by then, however much happens meanwhile.
  const pods = ownPods(hub);
  const now = Date.now();
  const rows = await readOwners(hub);
  const rowOf = (pod: WatchedPod) => rows.get(instanceOf(pod));
  say('pods that the hub made', pods.length);
  const longest = Math.max(0, ...pods.map((pod) => ownerlessMs(pod, rowOf(pod), now)));
  say('longest that a pod had no owner', `${(longest / 1000).toFixed(1)} s`);
  const early = pods.filter((pod) => wasEndedInUse(pod, rowOf(pod)));
  claim('no pod was ended that a request could still use', early.length === 0, namesOf(early));
  const uids = [...rows.values()].flatMap(({ uid }) => uid ?? []);
  claim(
    'no two instances ever had the same pod',
    new Set(uids).size === uids.length,
    `${uids.length} instances`,
  );
  const unseen = await untilAllSeen(hub, uids);
  claim('every instance was a pod of its own, by uid', unseen.length === 0, unseen.slice(0, 3).join(' '));
}

/** @returns the uids of which the watch has not heard within 10 s: it may hear of a pod after the hub has written it */
async function untilAllSeen(hub: ClusterHub, uids: readonly string[]): Promise<readonly string[]> {
  const deadline = Date.now() + hearWithinMs;
  for (;;) {
    const seen = new Set(ownPods(hub).map(({ uid }) => uid));
    const unseen = uids.filter((uid) => !seen.has(uid));
    if (unseen.length === 0 || Date.now() > deadline) return unseen;
    await sleep(100);
  }
}

/** The pods that carry this hub's labels, past ones too. */
export function ownPods({ pods, namespace, identity }: ClusterHub): readonly WatchedPod[] {
  const labels = Object.entries(ownLabels(identity));
  const isOwn = (pod: WatchedPod) => labels.every(([key, value]) => pod.labels[key] === value);
  return pods.all.filter((pod) => pod.namespace === namespace && isOwn(pod));
}

/** Every instance there ever was, by its id. */
export async function readOwners(hub: ClusterHub): Promise<ReadonlyMap<string, OwnerRow>> {
  const rows = await hub.rows<OwnerRow>(
    `select id, uid, (extract(epoch from terminating_at) * 1000)::float8 as "terminatingAtMs",
       (extract(epoch from terminated_at) * 1000)::float8 as "terminatedAtMs" from model_instance`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

const namesOf = (pods: readonly WatchedPod[]) =>
  pods
    .slice(0, 3)
    .map(({ name }) => name)
    .join(' ');
