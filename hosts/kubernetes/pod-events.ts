import { z } from 'zod';
import type { HostInstanceEvent, WatchedInstanceEvent } from '../model-host.js';
import { type ClusterApi, ClusterRefusal } from './cluster-api.js';
import { toHostError } from './hub-pods.js';
import type { VersionedObject } from './object-state.js';
import { instanceIdOf } from './pod-name.js';

const text = z.string().nullish().catch(undefined);
/** An event of the cluster; its writers fill different fields, and none of these but name and uid is certain. */
const eventObject = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string().catch('0'),
    creationTimestamp: text,
  }),
  involvedObject: z
    .object({ name: z.string().catch(''), uid: z.string().catch('') })
    .nullish()
    .catch(undefined),
  type: text,
  reason: text,
  message: text,
  note: text,
  count: z.number().int().nullish().catch(undefined),
  firstTimestamp: text,
  lastTimestamp: text,
  eventTime: text,
  series: z
    .object({ count: z.number().int().nullish().catch(undefined), lastObservedTime: text })
    .nullish()
    .catch(undefined),
});
type EventObject = z.infer<typeof eventObject>;

/** An event with what orders it among the words of a watch. */
export interface SeenEvent extends VersionedObject {
  /** Null for an event of a pod that no hub has made. */
  readonly event: WatchedInstanceEvent | null;
}

/** Null for what has no name. */
export function readPodEvent(object: unknown): SeenEvent | null {
  const parsed = eventObject.safeParse(object);
  if (!parsed.success) return null;
  const { metadata, involvedObject } = parsed.data;
  const instanceId = instanceIdOf(involvedObject?.name ?? '');
  return {
    name: metadata.name,
    uid: metadata.uid,
    version: Number(metadata.resourceVersion) || 0,
    event:
      instanceId === null
        ? null
        : { ...toHostEvent(parsed.data, object), instanceId, uid: involvedObject?.uid ?? '' },
  };
}

/** When it happened last: writers of events fill in one or another of these. */
function timeOf({ series, lastTimestamp, eventTime, metadata }: EventObject): string {
  const given = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp;
  const at = Date.parse(given ?? '');
  return new Date(Number.isNaN(at) ? 0 : at).toISOString();
}

function toHostEvent(event: EventObject, raw: unknown): HostInstanceEvent {
  return {
    id: `${event.metadata.uid}-${event.series?.count ?? event.count ?? 1}`,
    at: timeOf(event),
    type: event.type === 'Warning' ? 'Warning' : 'Normal',
    reason: event.reason ?? '',
    message: event.message ?? event.note ?? '',
    raw,
  };
}

/** The events that the cluster still keeps of a pod, oldest first. */
export async function listPodEvents(
  api: ClusterApi,
  eventsPath: string,
  podName: string,
): Promise<WatchedInstanceEvent[]> {
  const query = { fieldSelector: `involvedObject.name=${podName},involvedObject.kind=Pod` };
  try {
    const { items } = (await api.json({ path: eventsPath, query })) as { items?: unknown[] };
    return (items ?? [])
      .flatMap((item) => readPodEvent(item)?.event ?? [])
      .sort((a, b) => a.at.localeCompare(b.at));
  } catch (error) {
    throw error instanceof ClusterRefusal ? toHostError(error) : error;
  }
}
