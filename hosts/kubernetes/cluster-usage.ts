import { z } from 'zod';
import { mebibytesToBytes, MS_PER_SECOND } from '../../domain/units.js';
import type { HostUsage, InstanceUsage, NodeUsage, ObservedInstance, UsagePeriod } from '../model-host.js';
import { type ClusterApi, ClusterRefusal } from './cluster-api.js';
import { toHostError } from './hub-pods.js';
import type { MeasuredUsage, UsageSource } from './metrics-api.js';
import { readBytes, readMillicores } from './quantity.js';

const FORBIDDEN = 403;
/** The size of nodes changes rarely, and a list of all of them is long. */
const NODES_FRESH_MS = 60_000;
/** The largest size of node that the model table knows, for hubs that may not read nodes. */
const USUAL_LARGEST_NODE_MIB = 16_384;

const nodeList = z.object({
  items: z
    .array(
      z.object({
        metadata: z.object({ name: z.string() }),
        status: z.object({ allocatable: z.record(z.string(), z.string()).nullish() }).nullish(),
      }),
    )
    .nullish(),
});

interface NodeSize {
  readonly node: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

export interface ClusterUsageParts {
  readonly api: ClusterApi;
  /** Null where nothing is measured. */
  readonly source: UsageSource | null;
  /** Overrides the largest node there is, MiB. */
  readonly largestNodeMebibytes: number | null;
}

/** What instances and nodes use; nodes only where the cluster lets the hub read them. */
export class ClusterUsage {
  readonly #parts: ClusterUsageParts;
  #nodes: Promise<readonly NodeSize[] | null> | null = null;
  #nodesReadAt = 0;

  constructor(parts: ClusterUsageParts) {
    this.#parts = parts;
  }

  /** @param instances the hub's instances as they are now; what is measured of other pods is left out */
  async read(instances: readonly ObservedInstance[]): Promise<HostUsage> {
    const { source } = this.#parts;
    const [pods, nodes] = await Promise.all([source?.readPods() ?? [], this.#readNodes()]);
    const measured = typeof pods === 'string' ? [] : pods;
    return {
      instances: matchUsage(instances, measured),
      unmeasured: typeof pods === 'string' ? pods : null,
      ...(await this.#useOf(nodes, instances)),
    };
  }

  async #useOf(
    nodes: readonly NodeSize[] | null,
    instances: readonly ObservedInstance[],
  ): Promise<Pick<HostUsage, 'nodes' | 'nodeGap'>> {
    if (nodes === null) return { nodes: [], nodeGap: 'nodes-not-permitted' };
    if (nodes.length === 0) return { nodes: [], nodeGap: 'no-nodes' };
    const used = (await this.#parts.source?.readNodes()) ?? 'use-not-measured';
    const [known, nodeGap] = typeof used === 'string' ? [null, used] : [used, null];
    return { nodes: nodes.map((node) => toNodeUsage(node, instances, known)), nodeGap };
  }

  async largestNodeMemoryBytes(): Promise<number> {
    const { largestNodeMebibytes } = this.#parts;
    if (largestNodeMebibytes !== null) return mebibytesToBytes(largestNodeMebibytes);
    const largest = Math.max(0, ...((await this.#readNodes()) ?? []).map(({ memoryBytes }) => memoryBytes));
    return largest || mebibytesToBytes(USUAL_LARGEST_NODE_MIB);
  }

  async #readNodes(): Promise<readonly NodeSize[] | null> {
    if (this.#nodes === null || Date.now() - this.#nodesReadAt > NODES_FRESH_MS) {
      this.#nodesReadAt = Date.now();
      this.#nodes = readNodes(this.#parts.api);
    }
    try {
      return await this.#nodes;
    } catch (error) {
      // The next one asks again.
      this.#nodes = null;
      throw error;
    }
  }
}

async function readNodes(api: ClusterApi): Promise<readonly NodeSize[] | null> {
  try {
    const { items } = nodeList.parse(await api.json({ path: '/api/v1/nodes' }));
    return (items ?? []).map(({ metadata, status }) => ({
      node: metadata.name,
      cpuMillicores: readMillicores(status?.allocatable?.cpu) ?? 0,
      memoryBytes: readBytes(status?.allocatable?.memory) ?? 0,
    }));
  } catch (error) {
    if (!(error instanceof ClusterRefusal)) throw error;
    if (error.status === FORBIDDEN) return null;
    throw toHostError(error);
  }
}

/** By name and time: a figure from before an instance was created belongs to an earlier one of its name. */
function matchUsage(
  instances: readonly ObservedInstance[],
  measured: readonly MeasuredUsage[],
): InstanceUsage[] {
  const byName = new Map(instances.map((instance) => [instance.pod.name, instance]));
  return measured.flatMap(({ name, windowSeconds, ...usage }) => {
    const instance = byName.get(name);
    if (!instance || Date.parse(usage.sampledAt) < Date.parse(instance.createdAt)) return [];
    const { instanceId, uid } = instance;
    const known = { instanceId, uid, ...usage, peakMemoryBytes: null, cpuSecondsTotal: null };
    return [
      windowSeconds === undefined ? known : { ...known, recentPeriods: [toPeriod(usage, windowSeconds)] },
    ];
  });
}

/** The time that a sample stands for. */
function toPeriod(
  { sampledAt, memoryBytes, cpuMillicores }: Omit<MeasuredUsage, 'name'>,
  windowSeconds: number,
): UsagePeriod {
  const from = new Date(Date.parse(sampledAt) - windowSeconds * MS_PER_SECOND).toISOString();
  return { from, to: sampledAt, memoryBytes, cpuMillicores };
}

/** Requests are those of the hub's instances: of other pods on the node the hub sees nothing. */
function toNodeUsage(
  { node, cpuMillicores, memoryBytes }: NodeSize,
  instances: readonly ObservedInstance[],
  used: readonly MeasuredUsage[] | null,
): NodeUsage {
  const here = instances.filter(
    (instance) => instance.node === node && instance.phase !== 'Succeeded' && instance.phase !== 'Failed',
  );
  const use = used?.find(({ name }) => name === node);
  return {
    node,
    allocatableCpuMillicores: cpuMillicores,
    allocatableMemoryBytes: memoryBytes,
    requestedCpuMillicores: here.reduce((sum, { pod }) => sum + (pod.resources?.cpu_request ?? 0), 0),
    requestedMemoryBytes: here.reduce(
      (sum, { pod }) => sum + mebibytesToBytes(pod.resources?.memory_request ?? 0),
      0,
    ),
    usedCpuMillicores: use?.cpuMillicores ?? null,
    usedMemoryBytes: use?.memoryBytes ?? null,
  };
}
