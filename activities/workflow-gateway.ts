/** What is known of a workflow by its id. */
export type WorkflowExistence = 'running' | 'closed' | 'absent';

/** A request as its workflow is started. */
export interface RequestStart {
  readonly requestId: number;
  readonly runKey: string;
  readonly modelId: string;
  readonly userId: string;
  readonly rowCount: number;
}

/**
 * What activities tell workflows. Every word is a hint about rows that are committed already: it may be lost or come
 * twice, and the reconciler makes up for it.
 */
export interface WorkflowGateway {
  startRequest(request: RequestStart): Promise<void>;
  startInstance(instance: { instanceId: string; modelId: string }): Promise<void>;
  /** The one that samples usage; starting what runs already changes nothing. */
  startUsageObserver(): Promise<void>;
  signalRequest(request: { requestId: number; runKey: string }): Promise<void>;
  signalInstance(instanceId: string): Promise<void>;
  cancelRequest(request: { requestId: number; runKey: string }): Promise<void>;
  /** Ids of all running workflows; a moment old. */
  listRunning(): Promise<ReadonlySet<string>>;
  existenceOfRequest(request: { requestId: number; runKey: string }): Promise<WorkflowExistence>;
  requestWorkflowId(request: { requestId: number; runKey: string }): string;
  instanceWorkflowId(instanceId: string): string;
  readonly usageObserverWorkflowId: string;
}
