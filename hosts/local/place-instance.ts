/** A virtual node and what the instances on it requested. */
export interface VirtualNode {
  readonly name: string;
  readonly allocatableCpuMillicores: number;
  readonly allocatableMemoryBytes: number;
  readonly requestedCpuMillicores: number;
  readonly requestedMemoryBytes: number;
}

export interface PlaceRequest {
  readonly cpuRequestMillicores: number;
  readonly memoryRequestBytes: number;
}

/** A node's name, or why there is none, in the words a cluster's scheduler uses. */
export type Placement = { readonly node: string } | { readonly because: string };

/**
 * Which node takes the instance? The first in order that has room: earlier nodes fill up, later ones stay
 * empty and can be removed. Never gives a node more requests than it can allocate.
 */
export function placeInstance(request: PlaceRequest, nodes: readonly VirtualNode[]): Placement {
  const shortOfCpu = nodes.filter(
    (node) => node.requestedCpuMillicores + request.cpuRequestMillicores > node.allocatableCpuMillicores,
  );
  const shortOfMemory = nodes.filter(
    (node) => node.requestedMemoryBytes + request.memoryRequestBytes > node.allocatableMemoryBytes,
  );
  const fit = nodes.find((node) => !shortOfCpu.includes(node) && !shortOfMemory.includes(node));
  if (fit) return { node: fit.name };
  const reasons = [
    ...(shortOfCpu.length > 0 ? [`${shortOfCpu.length} Insufficient cpu`] : []),
    ...(shortOfMemory.length > 0 ? [`${shortOfMemory.length} Insufficient memory`] : []),
  ];
  return { because: `0/${nodes.length} nodes are available: ${reasons.join(', ')}.` };
}
