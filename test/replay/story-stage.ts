import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '../../hosts/local/proc-files.js';
import { modelServersOf } from '../../prove/left-over.js';
import type { ProofHub } from '../../prove/proof-hub.js';
import { chains } from '../../prove/steady-load.js';
import { workRequestWorkflowId } from '../../workflows/process-work-request.messages.js';
import { modelInstanceWorkflowId } from '../../workflows/run-model-instance.messages.js';
import { HubClient } from '../support/hub-client.js';

/** Which workflow tells which story. */
export type ToldStories = Readonly<Record<string, string>>;

const finishWithinMs = 90_000;

/** What stories are told with: a real hub, a guest who asks, an admin who steps in. */
export class StoryStage {
  private constructor(
    readonly hub: ProofHub,
    readonly client: HubClient,
    private readonly admin: HubClient,
  ) {}

  static async open(hub: ProofHub): Promise<StoryStage> {
    const { url, adminPassword } = hub.stack;
    const admin = await HubClient.asUser(url, 'admin', adminPassword ?? '');
    return new StoryStage(hub, await HubClient.asGuest(url), admin);
  }

  /** Chains of carbon around an oxygen. */
  async submit(modelId: string, rows: number): Promise<number> {
    return (await this.client.submitEntries(modelId, chains(rows), false)).id;
  }

  async finished(id: number): Promise<void> {
    await this.client.untilFinished(id, finishWithinMs, 50);
  }

  async inState(id: number, state: string): Promise<void> {
    while ((await this.client.get(id)).request_status !== state) await sleep(50);
  }

  /** Until the request waits, starts, …, as its user is told. */
  async inPhase(id: number, phase: string): Promise<void> {
    while ((await this.client.workflow(id)).phase !== phase) await sleep(100);
  }

  /** A request at work, long enough for something to happen to it. */
  async atWork(modelId: string, rows = 1000): Promise<number> {
    const id = await this.submit(modelId, rows);
    await this.inState(id, 'PROCESSING');
    await sleep(300);
    return id;
  }

  /** Stops the instance as an operator does. */
  async stop(instanceId: string): Promise<void> {
    const answer = await this.admin.fetch('/api/instances/actions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'STOP_INSTANCE', instance_id: instanceId }),
    });
    if (!answer.ok) throw new Error(`instance ${instanceId} could not be stopped: ${await answer.text()}`);
  }

  killModelServers(): void {
    for (const pid of modelServersOf(this.hub.stack.processes['local-host']!)) sendSignal(pid, 'SIGKILL');
  }

  /** Ends a process of the hub as a crash would. */
  kill(name: 'worker' | 'temporal' | 'local-host'): void {
    sendSignal(this.hub.stack.processes[name]!, 'SIGKILL');
  }

  async workflow(id: number): Promise<string> {
    const [row] = await this.hub.rows<{ run_key: string }>(`select run_key from work_request where id = $1`, [
      id,
    ]);
    return workRequestWorkflowId(id, row!.run_key);
  }

  /** The instances that worked for the request, first to last. */
  async instances(id: number): Promise<string[]> {
    const leases = await this.hub.rows<{ instance_id: string }>(
      `select instance_id from instance_lease where request_id = $1 and instance_id is not null
        order by granted_at`,
      [id],
    );
    return leases.map(({ instance_id }) => instance_id);
  }

  /** Workflow of the first instance that worked for the request. */
  async instance(id: number): Promise<string> {
    return modelInstanceWorkflowId((await this.instances(id))[0]!);
  }
}
