import { withHash } from './hub-labels.js';

/** Names of pods are host names too, and those end after 63 characters. */
const LONGEST_NAME = 63;
const PREFIX = 'model-';
const PLAIN_ID = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/**
 * The name of an instance's pod. It follows from the id alone, so creating the same instance twice meets the first
 * pod, and it is a DNS label whatever the id holds.
 */
export function podNameOf(instanceId: string): string {
  const room = LONGEST_NAME - PREFIX.length;
  if (instanceId.length <= room && PLAIN_ID.test(instanceId)) return `${PREFIX}${instanceId}`;
  return PREFIX + withHash(instanceId, instanceId.toLowerCase().replace(/[^a-z0-9]+/g, '-'), room);
}

/** The instance of a pod, where its name alone says so: not for foreign pods, and not for ids that a name can't hold. */
export function instanceIdOf(podName: string): string | null {
  const id = podName.startsWith(PREFIX) ? podName.slice(PREFIX.length) : '';
  return PLAIN_ID.test(id) ? id : null;
}
