import { setTimeout as sleep } from 'node:timers/promises';
import { podNameOf } from '../hosts/kubernetes/pod-name.js';
import { MEBIBYTE } from '../test/factories/mebibyte.js';
import { type ControlPlane, startControlPlane } from '../test/kubernetes/control-plane/control-plane.js';
import type { FaultProxy } from '../test/kubernetes/control-plane/fault-proxy.js';
import { waitUntil } from '../test/support/wait-until.js';
import { type ProofHost, type ProofHub, startProofHub } from './proof-hub.js';

const modelId = 'eos-physchem';
/** Longer than any run: nobody calls these instances, and none is retired. */
const warmSeconds = 86_400;
/** How many nodes the instances of an idle cluster are spread over. */
export const nodes = 20;
const lookEveryMs = 500;
/** Longer than the pause after which an event is written that came too early. */
const stillMs = 2000;
/** Rows of this age count as left behind, so that the hub takes them up in its next pass. */
const leftBehindFor = '1 minute';

/** A hub with many instances on a real control plane that nobody uses. They have no servers: nothing calls them. */
export class IdleCluster {
  private constructor(
    readonly hub: ProofHub,
    readonly plane: ControlPlane,
    /** Every call of the hub to the API server goes through it. */
    readonly proxy: FaultProxy,
    private readonly namespace: string,
  ) {}

  static async start(most: number): Promise<IdleCluster> {
    let cluster: { plane: ControlPlane; proxy: FaultProxy; namespace: string } | undefined;
    const hub = await startProofHub({
      models: [],
      warmSeconds,
      environment: { MAX_CONCURRENT_MODEL_INSTANCES: String(most) },
      startHost: async () => {
        cluster = await startCluster();
        return toHost(cluster);
      },
    });
    const { plane, proxy, namespace } = cluster!;
    return new IdleCluster(hub, plane, proxy, namespace);
  }

  /**
   * Adds instances until there are so many, and waits until all are ready.
   * @throws Error when they are not within `withinMs`
   */
  async growTo(count: number, withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    const added = await this.hub.rows<{ id: string }>(
      `insert into model_instance (id, model_id, model_revision, image, host, state, cpu_request_millicores,
         cpu_limit_millicores, memory_request_bytes, memory_limit_bytes, warm_seconds, expires_on, created_at)
       select gen_random_uuid()::text, m.id, m.revision, m.image, 'kubernetes', 'REQUESTED', 10, 500, $3, $3,
         m.warm_seconds, current_date + 30, clock_timestamp() - interval '${leftBehindFor}'
         from model m, generate_series(1, $2::integer - (select count(*)::integer from model_instance)) where m.id = $1
       returning id`,
      [modelId, count, 64 * MEBIBYTE],
    );
    for (const { id } of added)
      this.plane.metrics.set(this.namespace, podNameOf(id), { cpuMillicores: 2, memoryBytes: 50 * MEBIBYTE });
    for (let ready = 0; ready < count; await sleep(lookEveryMs)) {
      ready = await this.countReady();
      if (Date.now() > deadline)
        throw new Error(
          `${ready} of ${count} instances are ready after ${withinMs / 1000} s; others: ${await this.#describeOthers()}`,
        );
    }
  }

  /** What the hub knows of a few instances that are not ready, and what the cluster shows of each. */
  async #describeOthers(): Promise<string> {
    const rows = await this.hub.rows<{ id: string }>(
      `select id, state, uid, resource_version, node, waiting_reason, waiting_message, created_at, last_updated
         from model_instance where state <> 'ACTIVE' order by id limit 3`,
    );
    const others = rows.map(async (row) => {
      const pod = await this.plane.cluster
        .pod(this.namespace, podNameOf(row.id))
        .catch((error: Error) => error.message);
      return { row, pod: typeof pod === 'string' ? pod : { ...pod.metadata, status: pod.status } };
    });
    return JSON.stringify(await Promise.all(others));
  }

  /** One for each instance; another one as soon as its row is written anew. */
  async readRowVersions(): Promise<readonly string[]> {
    const rows = await this.hub.rows<{ version: string }>(
      `select id || ' ' || xmin::text as version from model_instance`,
    );
    return rows.map(({ version }) => version);
  }

  /**
   * Waits until all that belongs to a start is written: the first use of each instance, which a pass in 15 s finds, and
   * the events of the cluster, which are over when no row was written for two seconds.
   * @throws Error when rows are written on and on
   */
  async untilStill(withinMs: number): Promise<void> {
    let before = '';
    const look = async () => {
      const now = (await this.readRowVersions()).toSorted().join();
      const isStill = now === before && (await this.#countUnmeasured()) === 0;
      before = now;
      return isStill || undefined;
    };
    await waitUntil('no row to be written', look, { withinMs, everyMs: stillMs });
  }

  async #countUnmeasured(): Promise<number> {
    const [row] = await this.hub.rows<{ count: number }>(
      `select count(*)::integer as count from model_instance where peak_memory_bytes is null`,
    );
    return row!.count;
  }

  async countReady(): Promise<number> {
    const [row] = await this.hub.rows<{ count: number }>(
      `select count(*)::integer as count from model_instance where state = 'ACTIVE'`,
    );
    return row?.count ?? 0;
  }
}

async function startCluster() {
  const plane = await startControlPlane();
  try {
    const namespace = await plane.cluster.createNamespace();
    const size = { cpuMillicores: 64_000, memoryBytes: 2 ** 37 };
    for (let node = 1; node <= nodes; node += 1)
      await plane.cluster.addNode({ name: `node-${node}`, ...size });
    await plane.cluster.untilMetrics();
    return { plane, namespace, proxy: await plane.proxy() };
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

async function toHost(cluster: Awaited<ReturnType<typeof startCluster>>): Promise<ProofHost> {
  const { plane, proxy, namespace } = cluster;
  return {
    environment: {
      MODEL_HOST: 'kubernetes',
      KUBECONFIG: await proxy.kubeconfig('hub'),
      MODELS_NAMESPACE: namespace,
    },
    servers: () => Promise.resolve([]),
    stop: () => plane.stop(),
  };
}
