import type { HostEvent, HostListener, ObservedInstance } from '../model-host.js';
import type { VersionedObject } from './object-state.js';
import { observePod } from './observe-pod.js';
import { podObject } from './pod-object.wire.js';
import type { ReflectorListener } from './reflector.js';

/** A pod as an instance, with what orders it among the words of a watch. */
export interface SeenPod extends VersionedObject {
  readonly instance: ObservedInstance;
}

/** Null only for what has neither name nor uid, and so is no object of the cluster. */
export function readSeenPod(object: unknown, modelPort: number): SeenPod | null {
  const pod = podObject.safeParse(object);
  if (!pod.success) return null;
  const instance = observePod(pod.data, modelPort);
  const { name, uid } = pod.data.metadata;
  return { name, uid, version: instance.resourceVersion, instance };
}

/** Tells what a reflector of pods says as events of a host, and keeps `seen`, by uid, as it was told last. */
export function tellInstances(
  seen: Map<string, ObservedInstance>,
  tell: HostListener,
): ReflectorListener<SeenPod> {
  const take = (event: HostEvent) => {
    remember(seen, event);
    tell(event);
  };
  return {
    listed: (pods) => take({ type: 'listed', instances: pods.map(({ instance }) => instance) }),
    changed: ({ instance }) => take({ type: 'changed', instance }),
    gone: ({ instance }) => take({ type: 'gone', instance }),
  };
}

function remember(seen: Map<string, ObservedInstance>, event: HostEvent): void {
  if (event.type === 'listed') {
    seen.clear();
    for (const instance of event.instances) seen.set(instance.uid, instance);
  } else if (event.type === 'changed') seen.set(event.instance.uid, event.instance);
  else seen.delete(event.instance.uid);
}
