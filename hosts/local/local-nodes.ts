import type { HostUsage, InstanceUsage, NodeUsage } from '../model-host.js';
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

/** What every instance uses whose server was started, and what that is for each virtual node. */
export function toHostUsage(
  shape: NodeShape,
  records: readonly InstanceRecord[],
  accountingOf: (record: InstanceRecord) => ProcessAccounting | undefined,
): HostUsage {
  const measured = records.flatMap((record) => {
    const accounting = accountingOf(record);
    return accounting ? [{ record, usage: toInstanceUsage(record, accounting) }] : [];
  });
  const nodes = toVirtualNodes(shape, records).map((node) => {
    const here = measured.filter(({ record }) => record.node === node.name && !isEnded(record));
    return toNodeUsage(
      node,
      here.map(({ usage }) => usage),
    );
  });
  return { instances: measured.map(({ usage }) => usage), unmeasured: null, nodes, nodeGap: null };
}

/** A virtual node with what the given instances use there: nothing else runs on it. */
function toNodeUsage({ name, ...figures }: VirtualNode, used: readonly InstanceUsage[]): NodeUsage {
  return {
    node: name,
    ...figures,
    usedCpuMillicores: used.reduce((sum, { cpuMillicores }) => sum + cpuMillicores, 0),
    usedMemoryBytes: used.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  };
}

/** An ended instance keeps the figures of the last look at it, and their time, until it is deleted. */
function toInstanceUsage(record: InstanceRecord, accounting: ProcessAccounting): InstanceUsage {
  return { instanceId: record.spec.instanceId, uid: record.uid, ...accounting.usage() };
}
