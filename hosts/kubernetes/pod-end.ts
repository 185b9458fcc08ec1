import { constants } from 'node:os';
import type { InstanceTermination } from '../model-host.js';
import type { ContainerEnd, PodObject } from './pod-object.wire.js';
import { endOf, serverOf } from './to-pod.js';

/** Why the cluster takes a pod away, in the words of its condition `DisruptionTarget`, and what the hub calls it. */
const disruptions: Readonly<Record<string, string>> = {
  PreemptionByScheduler: 'Preempted',
  EvictionByEvictionAPI: 'Evicted',
  TerminationByKubelet: 'Evicted',
  DeletionByTaintManager: 'NodeLost',
  DeletionByPodGC: 'NodeLost',
};

/** Why a node ended a pod by itself, in the words of the pod's own reason. */
const endedByNode: Readonly<Record<string, string>> = {
  Evicted: 'Evicted',
  Preempting: 'Preempted',
  DeadlineExceeded: 'DeadlineExceeded',
  NodeLost: 'NodeLost',
  NodeShutdown: 'NodeLost',
  Shutdown: 'NodeLost',
  Terminated: 'NodeLost',
};

/** What a node says of a server that it found ended, or not at all, after it had lost sight of it: as when it was restarted. */
const outOfSight = new Set(['ContainerStatusUnknown', 'Unknown']);

const OUT_OF_MEMORY = 'OOMKilled';

interface Cause {
  readonly reason: string;
  readonly message: string | null;
}

/**
 * How a pod's server ended, or null. Where the cluster took the pod away that is the reason, and not the signal its
 * server was sent; memory is the exception, for it says what to do next time.
 */
export function terminationOf(pod: PodObject): InstanceTermination | null {
  const end = tellingEnd(pod);
  const cause = end?.reason === OUT_OF_MEMORY ? null : (takenAway(pod) ?? lostFromSight(end));
  if (end) return toTermination(end, cause);
  return cause && { exitCode: null, signal: null, ...cause, finishedAt: null };
}

function toTermination(end: ContainerEnd, cause: Cause | null): InstanceTermination {
  const { reason, message } = cause ?? end;
  return {
    exitCode: end.exitCode,
    signal: signalName(end.signal),
    reason: reason ?? 'Error',
    message: message ?? end.message,
    finishedAt: end.finishedAt,
  };
}

/** The server's own end; where it never ran, that of what should have prepared it. What runs beside it says nothing. */
function tellingEnd({ status }: PodObject): ContainerEnd | null {
  const server = endOf(serverOf(status.containerStatuses));
  if (server) return server;
  const failed = status.initContainerStatuses
    .map(endOf)
    .filter((end) => end !== null)
    .filter(({ exitCode }) => exitCode !== 0);
  return failed.find(({ reason }) => reason === OUT_OF_MEMORY) ?? failed[0] ?? null;
}

function takenAway({ status }: PodObject): Cause | null {
  const disruption = status.conditions.find(
    ({ type, status: is }) => type === 'DisruptionTarget' && is === 'True',
  );
  const message = status.message ?? disruption?.message ?? null;
  const known = endedByNode[status.reason ?? ''];
  if (known) return { reason: known, message };
  if (disruption) return { reason: nameDisruption(disruption.reason), message: message ?? disruption.reason };
  return givenUp(status.phase, status.reason, message);
}

function givenUp(phase: string, reason: string | null, message: string | null): Cause | null {
  if (phase === 'Unknown') {
    return { reason: 'NodeLost', message: message ?? 'its node does not answer the cluster any more' };
  }
  if (phase !== 'Failed' || reason === null) return null;
  // A node refuses in its own words what a scheduler gave it (`OutOfcpu`, `NodeAffinity`, …).
  return { reason: 'Rejected', message: message === null ? reason : `${reason}: ${message}` };
}

function lostFromSight(end: ContainerEnd | null): Cause | null {
  return outOfSight.has(end?.reason ?? '') ? { reason: 'NodeLost', message: end!.message } : null;
}

function nameDisruption(reason: string | null): string {
  return disruptions[reason ?? ''] ?? 'Disrupted';
}

function signalName(signal: number | null): string | null {
  if (!signal) return null;
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? String(signal);
}
