import { isSmallWork, type CallDuration } from '../../domain/work-request/small-path.js';

/** What this worker knows of how long models take; forgotten with the worker, learned again in a few calls. */
export interface ModelSpeeds {
  record(modelId: string, call: CallDuration): void;
  isSmall(modelId: string, rowCount: number, shardCount: number): boolean;
}

const REMEMBERED_CALLS = 100;

export function createModelSpeeds(): ModelSpeeds {
  const calls = new Map<string, CallDuration[]>();
  return {
    record(modelId, call) {
      const known = calls.get(modelId) ?? [];
      known.push(call);
      if (known.length > REMEMBERED_CALLS) known.shift();
      calls.set(modelId, known);
    },
    isSmall: (modelId, rowCount, shardCount) => isSmallWork(calls.get(modelId) ?? [], rowCount, shardCount),
  };
}
