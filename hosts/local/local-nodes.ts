import type { InstanceUsage, NodeUsage } from '../model-host.js';
import type { InstanceRecord } from './instance-record.js';
import type { VirtualNode } from './place-instance.js';
import type { ProcessAccounting } from './process-accounting.js';

/** How this machine is offered: so many virtual nodes of one size. */
export interface NodeShape {
  readonly count: number;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

/** The virtual nodes with what the given instances request there; ended ones request nothing any more. */
export function toVirtualNodes(shape: NodeShape, records: readonly InstanceRecord[]): VirtualNode[] {
  return Array.from({ length: shape.count }, (_, index) => {
    const name = `local-${index + 1}`;
    const here = records.filter((record) => record.node === name && !isEnded(record));
    return {
      name,
      allocatableCpuMillicores: shape.cpuMillicores,
      allocatableMemoryBytes: shape.memoryBytes,
      requestedCpuMillicores: here.reduce((sum, { spec }) => sum + spec.cpuRequestMillicores, 0),
      requestedMemoryBytes: here.reduce((sum, { spec }) => sum + spec.memoryRequestBytes, 0),
    };
  });
}

export function isEnded(record: InstanceRecord): boolean {
  return record.phase === 'Failed' || record.phase === 'Succeeded';
}

export function toNodeUsage({ name, ...figures }: VirtualNode): NodeUsage {
  return { node: name, ...figures, usedCpuMillicores: null, usedMemoryBytes: null };
}

/** An ended instance uses nothing any more; its peak and CPU total stay readable until it is deleted. */
export function toInstanceUsage(record: InstanceRecord, accounting: ProcessAccounting): InstanceUsage {
  const used = accounting.usage();
  const now = isEnded(record) ? { ...used, memoryBytes: 0, cpuMillicores: 0 } : used;
  return {
    instanceId: record.spec.instanceId,
    uid: record.uid,
    ...now,
    sampledAt: new Date().toISOString(),
  };
}
