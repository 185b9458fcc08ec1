import { setTimeout as sleep } from 'node:timers/promises';
import { podNameOf } from '../hosts/kubernetes/pod-name.js';
import { HostUnavailableError, type ModelHost, type ObservedInstance } from '../hosts/model-host.js';
import { mergePatch } from '../test/kubernetes/control-plane/api-client.js';
import { podPath } from '../test/kubernetes/control-plane/cluster.js';
import type { ControlPlane } from '../test/kubernetes/control-plane/control-plane.js';
import { kubernetesSpec } from '../test/support/kubernetes-host.js';

const changeEveryMs = 120;
const lookAgainMs = 25;
/** A life of four seconds at least: no model server is made, ready and removed in less. */
const changesOfALife = { least: 30, more: 25 };
/** Share of the pods that die by themselves before they are deleted. */
const dyingShare = 0.3;

/** Pods that come, change and go for as long as it lasts, each by way of a host that nothing is wrong with. */
export class PodLoad {
  readonly #loops: Promise<void>[];
  #over = false;
  lives = 0;

  constructor(
    private readonly plane: ControlPlane,
    private readonly namespace: string,
    private readonly host: ModelHost,
    private readonly random: () => number,
    atOnce: number,
  ) {
    this.#loops = Array.from({ length: atOnce }, () => this.#liveOnAndOn());
  }

  /** Ends when every pod is deleted. */
  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#loops);
  }

  async #liveOnAndOn(): Promise<void> {
    while (!this.#over) {
      const instance = await stubbornly(() => this.host.createInstance(kubernetesSpec()));
      const changes = changesOfALife.least + Math.floor(this.random() * changesOfALife.more);
      const dies = this.random() < dyingShare;
      for (let change = 0; change < changes && !this.#over; change += 1) {
        await this.#change(instance, change);
        await sleep(changeEveryMs);
      }
      if (dies) await this.#let(instance, { 'sim.test/fault': this.random() < 0.5 ? 'oom' : 'crash' });
      if (dies) await sleep(this.random() * 500);
      await stubbornly(() => this.host.deleteInstance(instance.instanceId, instance.uid));
      this.lives += 1;
    }
  }

  #change(instance: ObservedInstance, change: number): Promise<void> {
    return this.#let(instance, { 'sim.test/change': String(change) });
  }

  async #let({ instanceId }: ObservedInstance, annotations: Record<string, string>): Promise<void> {
    const path = podPath(this.namespace, podNameOf(instanceId));
    await stubbornly(() => this.plane.admin.ask('PATCH', path, { metadata: { annotations } }, mergePatch));
  }
}

/** Does it again for as long as the API server is away. */
async function stubbornly<Done>(action: () => Promise<Done>): Promise<Done> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!isAway(error)) throw error;
      await sleep(lookAgainMs);
    }
  }
}

const awayCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

function isAway(error: unknown): boolean {
  if (error instanceof HostUnavailableError) return true;
  const { code } = error as { code?: unknown };
  // An API server that has only just started may still refuse.
  return typeof code === 'number' ? code >= 500 || code === 403 : awayCodes.has(String(code));
}
