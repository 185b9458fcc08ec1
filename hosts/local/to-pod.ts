import { constants } from 'node:os';
import type { Pod } from '../../domain/instance/pod.wire.js';
import { bytesToMebibytes } from '../../domain/units.js';
import type { InstanceTermination } from '../model-host.js';
import type { InstanceRecord } from './instance-record.js';

/** What a namespace is to a cluster: where the instances of this machine are shown to live. */
const NAMESPACE = 'local';

/** A process of this machine in the shape that clients know. */
export function toPod(record: InstanceRecord): Pod {
  const { spec, lastTermination, waiting } = record;
  return {
    name: spec.instanceId,
    namespace: NAMESPACE,
    state: toState(record),
    ip: record.port === null ? null : '127.0.0.1',
    labels: { ...spec.labels },
    annotations: { ...spec.annotations },
    pod_state: {
      conditions: [toReadyCondition(record)],
      message: (waiting ?? lastTermination)?.message ?? null,
      reason: (waiting ?? lastTermination)?.reason ?? null,
      start_time: record.createdAt,
    },
    node_name: record.node,
    resources: {
      cpu_request: spec.cpuRequestMillicores,
      cpu_limit: spec.cpuLimitMillicores,
      memory_request: bytesToMebibytes(spec.memoryRequestBytes),
      memory_limit: spec.memoryLimitBytes === null ? null : bytesToMebibytes(spec.memoryLimitBytes),
    },
  };
}

function toState(record: InstanceRecord): Pod['state'] {
  const { lastTermination, createdAt } = record;
  const running = record.process !== null && lastTermination === null;
  return {
    phase: record.phase,
    started: running,
    ready: record.ready,
    restart_count: 0,
    state_times: {
      running: running ? createdAt : null,
      terminated: lastTermination?.finishedAt ?? null,
      waiting: record.waiting ? createdAt : null,
    },
    last_state_times: { running: null, terminated: null, waiting: null },
    last_terminated_state: lastTermination && toTerminatedState(record, lastTermination),
  };
}

function toReadyCondition({
  ready,
  readyAt,
  waiting,
}: InstanceRecord): Pod['pod_state']['conditions'][number] {
  return {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    last_probe_time: null,
    last_transition_time: readyAt,
    message: waiting?.message ?? null,
    reason: waiting?.reason ?? null,
  };
}

function toTerminatedState(
  { createdAt }: InstanceRecord,
  { exitCode, finishedAt, message, reason, signal }: InstanceTermination,
): Pod['state']['last_terminated_state'] {
  return {
    exit_code: exitCode,
    finished_at: finishedAt,
    message,
    reason,
    signal: signal === null ? null : constants.signals[signal as NodeJS.Signals],
    started_at: createdAt,
  };
}
