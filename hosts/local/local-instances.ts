import { randomUUID } from 'node:crypto';
import type {
  FollowOptions,
  HostUsage,
  InstanceSpec,
  InstanceTermination,
  ObservedInstance,
} from '../model-host.js';
import type { InstanceBoard } from './instance-board.js';
import type { LogFollower } from './instance-log.js';
import { toStartFailure } from './instance-process.js';
import { type InstanceRecord, newInstanceRecord } from './instance-record.js';
import { toObservedInstance } from './to-observed-instance.js';
import type { InstanceRunner, RunningInstance } from './instance-runner.js';
import { isEnded, type NodeShape, toHostUsage, toVirtualNodes } from './local-nodes.js';
import type { ModelCommands } from './model-commands.js';
import { placeInstance } from './place-instance.js';

export interface LocalInstancesParts {
  readonly board: InstanceBoard;
  readonly runner: InstanceRunner;
  readonly commands: ModelCommands;
  readonly nodes: NodeShape;
}

/** The life of this host's instances: asked for, placed, started, ready, ended, deleted. */
export class LocalInstances {
  readonly #board: InstanceBoard;
  readonly #runner: InstanceRunner;
  readonly #commands: ModelCommands;
  readonly #nodes: NodeShape;
  /** Servers by uid, kept after their end until the instance is deleted: their usage is evidence. */
  readonly #servers = new Map<string, RunningInstance>();
  readonly #launching = new Set<string>();
  #stopping = false;

  /** Takes over the board of an earlier host, whose servers have ended already. */
  constructor({ board, runner, commands, nodes }: LocalInstancesParts) {
    this.#board = board;
    this.#runner = runner;
    this.#commands = commands;
    this.#nodes = nodes;
    for (const record of board.records) {
      if (record.terminating) board.remove(record);
      else if (record.node !== null && !isEnded(record)) this.#setEnded(record, lostWithHost());
    }
    this.#placeWaiting();
  }

  /** Idempotent by instance id. @throws InstanceRefusedError when the model has no start command */
  create(spec: InstanceSpec): ObservedInstance {
    const known = this.#board.get(spec.instanceId);
    if (known) return toObservedInstance(known);
    this.#commands.get(spec.modelId);
    const record = newInstanceRecord(spec, randomUUID(), new Date().toISOString());
    this.#board.add(record);
    this.#place(record);
    return toObservedInstance(record);
  }

  /** False when there is no instance of this id with this uid. */
  delete(instanceId: string, uid: string): boolean {
    const record = this.#board.get(instanceId);
    if (record?.uid !== uid) return false;
    if (record.terminating) return true;
    record.terminating = true;
    if (this.#launching.has(uid) || record.process !== null) {
      this.#board.addEvent(record, 'Normal', 'Killing', 'Stopping the model server');
      this.#board.changed(record);
      this.#servers.get(uid)?.terminate();
    } else {
      this.#remove(record);
    }
    return true;
  }

  /** Gives the chosen part of the log so far, then each new line, then null. Returns how to stop. */
  followLogs(instanceId: string, options: FollowOptions, follower: LogFollower): () => void {
    const running = this.#servers.get(this.#board.get(instanceId)?.uid ?? '');
    if (running) return running.log.follow(follower, options);
    const kept = this.#board.readLogs(instanceId, options) ?? '';
    for (const line of kept.split('\n').slice(0, -1)) follower(line);
    follower(null);
    return () => undefined;
  }

  usage(): HostUsage {
    return toHostUsage(this.#nodes, this.#board.records, ({ uid }) => this.#servers.get(uid)?.accounting);
  }

  /** Ends every server; the next host of this folder reports their instances lost. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#runner.stop();
  }

  /** Finds the instance a node and starts it there, or says why it waits. */
  #place(record: InstanceRecord): void {
    const placement = placeInstance(record.spec, toVirtualNodes(this.#nodes, this.#board.records));
    if ('because' in placement) {
      if (record.waiting?.message === placement.because) return;
      record.waiting = { reason: 'Unschedulable', message: placement.because };
      this.#board.addEvent(record, 'Warning', 'FailedScheduling', placement.because);
    } else {
      record.node = placement.node;
      record.waiting = null;
      this.#board.addEvent(record, 'Normal', 'Scheduled', `Placed on ${placement.node}`);
      this.#launching.add(record.uid);
      void this.#launch(record).catch((error: unknown) => {
        this.#ended(record, toStartFailure(error instanceof Error ? error.message : String(error)));
      });
    }
    this.#board.changed(record);
  }

  /** Oldest first; a later one that fits does not wait for an earlier one that does not. */
  #placeWaiting(): void {
    if (this.#stopping) return;
    for (const record of this.#board.records) {
      if (record.node === null && !isEnded(record)) this.#place(record);
    }
  }

  async #launch(record: InstanceRecord): Promise<void> {
    const model = this.#commands.get(record.spec.modelId);
    const port = await this.#runner.reservePort();
    if (this.#stopping || record.terminating) {
      this.#launching.delete(record.uid);
      this.#runner.releasePort(port);
      if (record.terminating) this.#remove(record);
      return;
    }
    let outOfMemory: string | null = null;
    const { memoryLimitBytes } = record.spec;
    const place = { uid: record.uid, folder: this.#board.folderOf(record), port, memoryLimitBytes };
    const running = this.#runner.start(place, model, {
      ready: (isReady) => this.#setReady(record, isReady),
      outOfMemory: (bytes) => {
        outOfMemory = `the model server used ${bytes} bytes of memory, its limit is ${memoryLimitBytes}`;
        this.#board.addEvent(record, 'Warning', 'OOMKilling', outOfMemory);
      },
      ended: (termination) => {
        if (outOfMemory === null) this.#ended(record, termination);
        else this.#ended(record, { ...termination, reason: 'OOMKilled', message: outOfMemory });
      },
    });
    this.#launching.delete(record.uid);
    if (running) this.#started(record, running);
  }

  #started(record: InstanceRecord, running: RunningInstance): void {
    this.#servers.set(record.uid, running);
    record.process = { pid: running.pid, startTicks: running.startTicks };
    record.port = running.port;
    record.phase = 'Running';
    this.#board.addEvent(record, 'Normal', 'Started', `Started the model server as process ${running.pid}`);
    this.#board.changed(record);
  }

  #setReady(record: InstanceRecord, isReady: boolean): void {
    record.ready = isReady;
    record.readyAt = isReady ? new Date().toISOString() : null;
    this.#board.changed(record);
  }

  #ended(record: InstanceRecord, termination: InstanceTermination): void {
    this.#launching.delete(record.uid);
    this.#setEnded(record, this.#stopping ? lostWithHost() : termination);
    if (record.terminating) this.#remove(record);
    else this.#placeWaiting();
  }

  #setEnded(record: InstanceRecord, termination: InstanceTermination): void {
    record.phase = termination.exitCode === 0 ? 'Succeeded' : 'Failed';
    record.ready = false;
    record.port = null;
    record.process = null;
    record.lastTermination = termination;
    const how = `The model server ended: ${termination.reason}, exit code ${termination.exitCode ?? 'unknown'}`;
    const type = record.phase === 'Failed' ? 'Warning' : 'Normal';
    this.#board.addEvent(record, type, termination.reason, how);
    this.#board.changed(record);
  }

  #remove(record: InstanceRecord): void {
    this.#servers.delete(record.uid);
    this.#board.remove(record);
    this.#placeWaiting();
  }
}

function lostWithHost(): InstanceTermination {
  return {
    exitCode: null,
    signal: null,
    reason: 'HostLost',
    message: 'the local host that ran this instance ended, and the instance with it',
    finishedAt: new Date().toISOString(),
  };
}
