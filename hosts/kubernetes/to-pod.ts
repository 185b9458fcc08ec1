import type { Pod } from '../../domain/instance/pod.wire.js';
import { bytesToMebibytes } from '../../domain/units.js';
import { MODEL_CONTAINER } from './build-pod.js';
import type { ContainerEnd, ContainerStatus, PodCondition, PodObject } from './pod-object.wire.js';
import { readBytes, readMillicores } from './quantity.js';

/** The one in which the model server runs: a template may set others beside it, and the cluster tells them in any order. */
export function serverOf<Container extends { readonly name: string | null }>(
  containers: readonly Container[],
): Container | undefined {
  return containers.find(({ name }) => name === MODEL_CONTAINER);
}

/** A pod of the cluster in the shape that clients know, who know one container in it: its model server. */
export function toPod({ metadata, spec, status }: PodObject): Pod {
  const resources = serverOf(spec.containers)?.resources;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    state: toState(status.phase, serverOf(status.containerStatuses)),
    ip: status.podIP,
    labels: metadata.labels,
    annotations: metadata.annotations,
    pod_state: {
      conditions: status.conditions.map(toCondition),
      message: status.message,
      reason: status.reason,
      start_time: status.startTime,
    },
    node_name: spec.nodeName,
    resources: resources ? toResources(resources) : null,
  };
}

const noTimes = { running: null, terminated: null, waiting: null };

function toState(phase: string, server: ContainerStatus | undefined): Pod['state'] {
  const ended = endOf(server);
  return {
    phase,
    started: server?.started === true,
    ready: server?.ready === true,
    restart_count: server?.restartCount ?? 0,
    state_times: server ? toTimes(server.state) : noTimes,
    last_state_times: server ? toTimes(server.lastState) : noTimes,
    last_terminated_state: ended ? toTerminatedState(ended) : null,
  };
}

/** How a container ended, or ended last; null when it never did. */
export function endOf(container: ContainerStatus | undefined): ContainerEnd | null {
  return container?.state.terminated ?? container?.lastState.terminated ?? null;
}

/** The cluster does not say since when a container waits. */
function toTimes(state: ContainerStatus['state']): Pod['state']['state_times'] {
  return {
    running: state.running.startedAt,
    terminated: state.terminated?.finishedAt ?? null,
    waiting: null,
  };
}

function toTerminatedState(ended: ContainerEnd): Pod['state']['last_terminated_state'] {
  return {
    exit_code: ended.exitCode,
    finished_at: ended.finishedAt,
    message: ended.message,
    reason: ended.reason,
    signal: ended.signal,
    started_at: ended.startedAt,
  };
}

function toCondition(condition: PodCondition): Pod['pod_state']['conditions'][number] {
  return {
    last_probe_time: condition.lastProbeTime,
    last_transition_time: condition.lastTransitionTime,
    message: condition.message,
    reason: condition.reason,
    status: condition.status,
    type: condition.type,
  };
}

type Resources = PodObject['spec']['containers'][number]['resources'];

function toResources({ requests, limits }: Resources): Pod['resources'] {
  return {
    cpu_request: readMillicores(requests.cpu),
    cpu_limit: readMillicores(limits.cpu),
    memory_request: toMebibytes(requests.memory),
    memory_limit: toMebibytes(limits.memory),
  };
}

function toMebibytes(quantity: string | undefined): number | null {
  const bytes = readBytes(quantity);
  return bytes === null ? null : bytesToMebibytes(bytes);
}
