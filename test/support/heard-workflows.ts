import type { WorkflowExistence, WorkflowGateway } from '../../activities/workflow-gateway.js';

/** Workflows that only write down what they are told. */
export class HeardWorkflows implements WorkflowGateway {
  readonly words: string[] = [];
  /** How often the observer of usage was started; it is no word of any request or instance. */
  observersStarted = 0;
  readonly usageObserverWorkflowId = 'usage-observer';
  readonly running = new Set<string>();
  readonly existence = new Map<string, WorkflowExistence>();
  /** While set, every word fails with it, as when Temporal is away. */
  away: Error | null = null;

  startRequest = ({ requestId, runKey }: { requestId: number; runKey: string }) =>
    this.#hear(`start request ${requestId} ${runKey}`);
  startInstance = ({ instanceId }: { instanceId: string }) => this.#hear(`start instance ${instanceId}`);
  startUsageObserver = async () => {
    if (this.away) throw this.away;
    this.observersStarted += 1;
  };
  signalRequest = ({ requestId }: { requestId: number }) => this.#hear(`signal request ${requestId}`);
  signalInstance = (instanceId: string) => this.#hear(`signal instance ${instanceId}`);
  cancelRequest = ({ requestId }: { requestId: number }) => this.#hear(`cancel request ${requestId}`);
  requestWorkflowId = ({ requestId, runKey }: { requestId: number; runKey: string }) =>
    `request-${requestId}-${runKey}`;
  instanceWorkflowId = (instanceId: string) => `instance-${instanceId}`;

  async listRunning(): Promise<ReadonlySet<string>> {
    if (this.away) throw this.away;
    return this.running;
  }

  existenceOfRequest(request: { requestId: number; runKey: string }): Promise<WorkflowExistence> {
    return Promise.resolve(this.existence.get(this.requestWorkflowId(request)) ?? 'absent');
  }

  async #hear(word: string): Promise<void> {
    if (this.away) throw this.away;
    this.words.push(word);
  }
}
