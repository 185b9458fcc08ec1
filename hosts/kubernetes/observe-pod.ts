import { type InstancePhase, instancePhases, type ObservedInstance } from '../model-host.js';
import { INSTANCE_LABEL, MODEL_LABEL } from './hub-labels.js';
import { terminationOf } from './pod-end.js';
import type { ContainerStatus, PodObject } from './pod-object.wire.js';
import { serverOf, toPod } from './to-pod.js';

/** Containers on their way: nothing anyone has to be told of. */
const ordinaryWaiting = new Set(['ContainerCreating', 'PodInitializing']);
const NO_TIME = new Date(0).toISOString();

/**
 * A pod as the hub sees it. Every pod gives an observation, whatever is odd about it.
 * @param modelPort where its server listens, unless the pod names a port
 */
export function observePod(pod: PodObject, modelPort: number): ObservedInstance {
  const { metadata, status, spec } = pod;
  const phase = phaseOf(status);
  const readyAt = phase === 'Running' ? readySince(pod) : null;
  return {
    instanceId: idOf(pod, INSTANCE_LABEL) || metadata.name,
    modelId: idOf(pod, MODEL_LABEL),
    uid: metadata.uid,
    resourceVersion: Number(metadata.resourceVersion) || 0,
    phase,
    ready: readyAt !== null,
    waiting: waitingOf(pod, phase),
    address: phase === 'Running' ? addressOf(pod, modelPort) : null,
    node: spec.nodeName || null,
    restartCount: serverOf(status.containerStatuses)?.restartCount ?? 0,
    lastTermination: terminationOf(pod),
    createdAt: metadata.creationTimestamp ?? NO_TIME,
    readyAt,
    terminating: metadata.deletionTimestamp !== null,
    pod: toPod(pod),
  };
}

/** An instance is over when its server is, though the pod goes on for what a template runs beside it. */
function phaseOf({ phase, containerStatuses }: PodObject['status']): InstancePhase {
  const known = instancePhases.find((name) => name === phase) ?? 'Unknown';
  const end = serverOf(containerStatuses)?.state.terminated;
  if (known !== 'Running' || !end) return known;
  return end.exitCode === 0 ? 'Succeeded' : 'Failed';
}

/** An annotation holds an id as it is; a label only what labels may hold. */
function idOf({ metadata }: PodObject, key: string): string {
  return metadata.annotations[key] || metadata.labels[key] || '';
}

function conditionOf({ status }: PodObject, type: string) {
  return status.conditions.find((condition) => condition.type === type);
}

function readySince(pod: PodObject): string | null {
  const condition = conditionOf(pod, 'Ready');
  return condition?.status === 'True' ? (condition.lastTransitionTime ?? NO_TIME) : null;
}

function waitingOf(pod: PodObject, phase: InstancePhase): ObservedInstance['waiting'] {
  if (phase !== 'Pending' && phase !== 'Running') return null;
  const placed = conditionOf(pod, 'PodScheduled');
  if (placed?.status === 'False') {
    return {
      reason: placed.reason ?? 'Unschedulable',
      message: placed.message ?? 'no node was found for it yet',
    };
  }
  const { initContainerStatuses, containerStatuses } = pod.status;
  return (
    [...initContainerStatuses, ...containerStatuses].map(stuckOf).find((stuck) => stuck !== null) ?? null
  );
}

/** What keeps a container from running, other than that it is just being made. */
function stuckOf({ state: { waiting } }: ContainerStatus): ObservedInstance['waiting'] {
  const { reason, message } = waiting;
  if (!reason || ordinaryWaiting.has(reason)) return null;
  return { reason, message: message ?? `its container waits: ${reason}` };
}

function addressOf({ spec, status: { podIP } }: PodObject, modelPort: number): string | null {
  if (!podIP) return null;
  const port = serverOf(spec.containers)?.ports[0]?.containerPort ?? modelPort;
  return podIP.includes(':') ? `[${podIP}]:${port}` : `${podIP}:${port}`;
}
