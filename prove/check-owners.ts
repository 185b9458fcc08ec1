import { INSTANCE_LABEL, ownLabels } from '../hosts/kubernetes/hub-labels.js';
import type { ClusterHub } from './cluster-hub.js';
import { type OwnerRow, ownerlessMs, type WatchedPod, wasEndedInUse } from './pod-owners.js';
import type { ProofContext } from './proof.js';

/** The instance that a pod says it stands for. */
export const instanceOf = ({ labels }: WatchedPod): string => labels[INSTANCE_LABEL] ?? '';

/** What the watch saw of the hub's pods, held against what the rows say of their owners. */
export async function checkOwners(hub: ClusterHub, { claim, say }: ProofContext): Promise<void> {
  const rows = await readOwners(hub);
  const pods = ownPods(hub);
  const now = Date.now();
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
  const seen = new Set(pods.map(({ uid }) => uid));
  const unseen = uids.filter((uid) => !seen.has(uid));
  claim('every instance was a pod of its own, by uid', unseen.length === 0, unseen.slice(0, 3).join(' '));
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
