import { defineQuery, defineSignal } from '@temporalio/workflow';

/** What `processWorkRequest` is started with: ids only, the rows are in the database. */
export interface ProcessWorkRequestInput {
  readonly requestId: number;
  readonly runKey: string;
}

/** What the workflow knows of itself; reason and position are those of its last look, which may be minutes old. */
export interface RequestProgress {
  readonly phase: 'starting' | 'waiting' | 'instance-starting' | 'running' | 'finished';
  /** A sentence while waiting, else null. */
  readonly waitingBecause: string | null;
  /** Place in line among those who wait for the same, from 1; null when not waiting. */
  readonly position: number | null;
  readonly attempts: number;
  readonly instanceIds: readonly string[];
}

export const processWorkRequestName = 'processWorkRequest';
export const workRequestWorkflowId = (requestId: number, runKey: string) =>
  `work-request-${requestId}-${runKey}`;

/** A hint that a claim of this request was granted, or that its instance changed; the row says what is true. */
export const leaseChangedSignal = defineSignal('leaseChanged');
export const requestProgressQuery = defineQuery<RequestProgress>('requestProgress');
