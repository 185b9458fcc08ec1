import type { ObservedInstance } from '../model-host.js';
import type { InstanceRecord } from './instance-record.js';
import { toPod } from './to-pod.js';

/** The record as clients of the host see it. */
export function toObservedInstance(record: InstanceRecord): ObservedInstance {
  return {
    instanceId: record.spec.instanceId,
    modelId: record.spec.modelId,
    uid: record.uid,
    resourceVersion: record.resourceVersion,
    phase: record.phase,
    ready: record.ready,
    waiting: record.waiting && { ...record.waiting },
    address: record.port === null ? null : `127.0.0.1:${record.port}`,
    node: record.node,
    restartCount: 0,
    lastTermination: record.lastTermination,
    createdAt: record.createdAt,
    readyAt: record.readyAt,
    terminating: record.terminating,
    pod: toPod(record),
  };
}
