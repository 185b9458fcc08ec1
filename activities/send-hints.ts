import type { ClaimHints } from '../db/queries/claims.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * Tells workflows what a committed claim did. Nothing waits for it and nothing depends on it: a word that can't be
 * sent is logged, and the reconciler sends it again.
 * @param ownToken the caller's own claim, which needs no telling
 */
export function sendHints(
  { workflows, log }: Pick<ActivityDependencies, 'workflows' | 'log'>,
  hints: ClaimHints,
  ownToken?: string,
): void {
  const tell = (what: string, sent: Promise<void>) =>
    void sent.catch((error: Error) => log.warn(`${what} could not be told`, { error: error.message }));
  for (const instance of hints.started)
    tell(`the start of instance ${instance.instanceId}`, workflows.startInstance(instance));
  for (const granted of hints.granted) {
    if (granted.leaseToken !== ownToken)
      tell(`the grant to request ${granted.requestId}`, workflows.signalRequest(granted));
  }
  for (const instanceId of hints.retired)
    tell(`the end of instance ${instanceId}`, workflows.signalInstance(instanceId));
}
