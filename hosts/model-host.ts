import type { Pod } from '../domain/instance/pod.wire.js';
import type { NodeFigureGap } from '../domain/usage/node-figures.js';

/**
 * Where model instances run. One contract, several places: processes of this machine (`hosts/local`), pods of a
 * cluster (`hosts/kubernetes`). The suite in `test/hosts/` holds every implementation to it.
 */

/** What an instance is made from. Sizes are what the instance gets, already decided by the hub. */
export interface InstanceSpec {
  /** The hub's id of the instance; creating the same id twice gives the first one. */
  readonly instanceId: string;
  readonly modelId: string;
  /** Image and tag for a cluster; the local host maps the model id to a command instead. */
  readonly image: string;
  /** Version of the cluster's pod template that the model asks for; the local host has none. */
  readonly templateVersion: string;
  readonly cpuRequestMillicores: number;
  readonly cpuLimitMillicores: number;
  readonly memoryRequestBytes: number;
  /** Null when the model has no memory limit. */
  readonly memoryLimitBytes: number | null;
  /** Facts for whoever looks at the host: hub labels and annotations, e.g. the request it was started for. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export const instancePhases = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;
export type InstancePhase = (typeof instancePhases)[number];

/** How the instance's server last ended, in the cluster's words (`OOMKilled`, `Error`, `Completed`, `Evicted`). */
export interface InstanceTermination {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly reason: string;
  readonly message: string | null;
  readonly finishedAt: string | null;
}

/** One instance as its host sees it now. `uid` tells two instances of one name apart. */
export interface ObservedInstance {
  readonly instanceId: string;
  readonly modelId: string;
  readonly uid: string;
  /** Grows with every change of this instance at its host; older observations are refused by it. */
  readonly resourceVersion: number;
  readonly phase: InstancePhase;
  /** True while its server answers health checks; one that misses a few on end is not ready until it answers again. */
  readonly ready: boolean;
  /** Set when the instance can't be placed or started yet: `Unschedulable`, `ImagePullBackOff`, … with a sentence. */
  readonly waiting: { readonly reason: string; readonly message: string } | null;
  /** `host:port` of the model server, once known. */
  readonly address: string | null;
  readonly node: string | null;
  readonly restartCount: number;
  readonly lastTermination: InstanceTermination | null;
  readonly createdAt: string;
  readonly readyAt: string | null;
  /** True while it is being removed. */
  readonly terminating: boolean;
  /** All that its host says of it, in the shape of the wire. */
  readonly pod: Pod;
}

/** What a watch says. `listed` comes first and after every gap that can't be bridged: whatever it does not name is gone. */
export type HostEvent =
  | { readonly type: 'listed'; readonly instances: readonly ObservedInstance[] }
  | { readonly type: 'changed'; readonly instance: ObservedInstance }
  | { readonly type: 'gone'; readonly instance: ObservedInstance };

export type HostListener = (event: HostEvent) => void;

/** A running watch. It reconnects by itself; `healthy` is false while it can't see the host. */
export interface HostWatch {
  readonly healthy: boolean;
  close(): void;
}

export interface LogOptions {
  readonly tailLines?: number;
  /** The first lines instead of the last; `tailLines` wins where both are given. */
  readonly headLines?: number;
  /** ISO times; lines outside are left out. */
  readonly since?: string;
  readonly until?: string;
  /** Of a host's log that may be of any length: about so many bytes at most, the last of what was chosen. */
  readonly lastBytes?: number;
}

/** Where following a log begins: with its last lines, or at a time. Left out: at its beginning. */
export type FollowOptions = Pick<LogOptions, 'tailLines' | 'since'>;

/** Something the host itself reports of an instance (scheduled, pulled, killed), oldest first. */
export interface HostInstanceEvent {
  /** The same for the same event told twice; another one when its host counts it again. */
  readonly id: string;
  readonly at: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly raw: unknown;
}

/** An event as a watch tells it: with the instance it is about. */
export interface WatchedInstanceEvent extends HostInstanceEvent {
  readonly instanceId: string;
  readonly uid: string;
}

export type HostEventListener = (event: WatchedInstanceEvent) => void;

/** What an instance used in a stretch of time: its highest memory that is known, and its CPU as a rate. */
export interface UsagePeriod {
  readonly from: string;
  readonly to: string;
  readonly memoryBytes: number;
  readonly cpuMillicores: number;
}

/** The newest figures of an instance and their time; one that ended keeps its last ones while its host knows it. */
export interface InstanceUsage {
  readonly instanceId: string;
  readonly uid: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  /** Highest memory and CPU time of the instance's life, where the host knows them. */
  readonly peakMemoryBytes: number | null;
  readonly cpuSecondsTotal: number | null;
  /** For peaks of short work: the last minute by seconds, oldest first, or the window that the figures are averaged over. */
  readonly recentPeriods?: readonly UsagePeriod[];
  readonly sampledAt: string;
}

export interface NodeUsage {
  readonly node: string;
  readonly allocatableCpuMillicores: number;
  readonly allocatableMemoryBytes: number;
  readonly requestedCpuMillicores: number;
  readonly requestedMemoryBytes: number;
  /** What everything on the node uses now; null where nobody measures it. */
  readonly usedCpuMillicores: number | null;
  readonly usedMemoryBytes: number | null;
}

/** `unmeasured` says why no instance is measured, `nodeGap` why there are no nodes or no figures of their use. */
export interface HostUsage {
  readonly instances: readonly InstanceUsage[];
  readonly unmeasured: string | null;
  readonly nodes: readonly NodeUsage[];
  readonly nodeGap: NodeFigureGap | null;
}

/** The host could not take the call now (unreachable, overloaded): try again. Anything else it throws is final. */
export class HostUnavailableError extends Error {
  override readonly name = 'HostUnavailableError';
}

/** The host has no room for another instance just now, as when a quota is used up: asked again later, it may. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
  constructor(
    /** One word for it, as a scheduler would say why it waits. */
    readonly reason: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The host will never start this instance (no such model, too large for any node, refused); says why and what to do. */
export class InstanceRefusedError extends Error {
  override readonly name = 'InstanceRefusedError';
}

export interface ModelHost {
  /** Name for logs and rows: `local` or `kubernetes`. */
  readonly kind: string;
  /** Idempotent by instance id. */
  createInstance(spec: InstanceSpec): Promise<ObservedInstance>;
  /** Tells every instance of the hub, first as a whole, then change by change, until closed. */
  watch(listener: HostListener): HostWatch;
  /**
   * Tells what the host reports of the hub's instances, until closed. What is still kept is told at the start and
   * again after every gap: the id of an event tells the repeated from the new.
   */
  watchEvents(listener: HostEventListener): HostWatch;
  /** Removes the instance only if it still has this uid. Absent or another uid: nothing happens, `deleted` is false. */
  deleteInstance(instanceId: string, uid: string): Promise<{ readonly deleted: boolean }>;
  /** The log text, also of an ended instance while the host keeps it; null when there is none. */
  readLogs(instanceId: string, options?: LogOptions): Promise<string | null>;
  /** The lines that `options` choose of what there is, then each as it comes, until the instance ends or the signal aborts. */
  followLogs(instanceId: string, signal: AbortSignal, options?: FollowOptions): AsyncIterable<string>;
  /** What the host still keeps, oldest first; of every instance that had this id, told apart by uid. */
  listEvents(instanceId: string): Promise<readonly WatchedInstanceEvent[]>;
  readUsage(): Promise<HostUsage>;
  /** Largest memory limit any node could hold, in bytes: the cap when a request heals from out-of-memory. */
  largestNodeMemoryBytes(): Promise<number>;
  close(): Promise<void>;
}
