import type { V1PreferredSchedulingTerm, V1Toleration } from '@kubernetes/client-node';
import { bytesToMebibytes } from '../../domain/units.js';

/** Label and taint of nodes that says how large they are. */
const NODE_SIZE_KEY = 'node.sku';

interface SizeChoice {
  readonly upToMebibytes: number;
  readonly tolerated: readonly string[];
  /** Sizes by preference: 100 for the one that fits best, 1 for what would waste most. */
  readonly preferred: readonly { readonly weight: number; readonly sizes: readonly string[] }[];
}

const fitting = (best: string, ...rest: SizeChoice['preferred']) => [{ weight: 100, sizes: [best] }, ...rest];
const next = (...sizes: string[]) => ({ weight: 20, sizes });
const largest = { weight: 1, sizes: ['16Gi'] };

/** Which nodes an instance may and should use, by its memory limit; above the last line any node without a taint. */
const choices: readonly SizeChoice[] = [
  {
    upToMebibytes: 1024,
    tolerated: ['2Gi', '4Gi', '8Gi', '16Gi'],
    preferred: fitting('2Gi', next('4Gi', '8Gi'), largest),
  },
  {
    upToMebibytes: 2048,
    tolerated: ['2Gi', '4Gi', '8Gi', '16Gi'],
    preferred: fitting('4Gi', next('8Gi'), largest),
  },
  { upToMebibytes: 3072, tolerated: ['4Gi', '8Gi', '16Gi'], preferred: fitting('4Gi', next('8Gi'), largest) },
  { upToMebibytes: 7168, tolerated: ['8Gi', '16Gi'], preferred: fitting('8Gi', largest) },
  { upToMebibytes: 15_360, tolerated: ['16Gi'], preferred: fitting('16Gi') },
];

export interface NodeChoice {
  readonly tolerations: readonly V1Toleration[];
  readonly preferences: readonly V1PreferredSchedulingTerm[];
}

/** The nodes for an instance of this memory, in bytes: its limit, or its request where it has no limit. */
export function chooseNodes(memoryBytes: number): NodeChoice {
  const mebibytes = bytesToMebibytes(memoryBytes);
  const choice = choices.find(({ upToMebibytes }) => mebibytes <= upToMebibytes);
  return {
    tolerations: (choice?.tolerated ?? []).map((value) => ({
      key: NODE_SIZE_KEY,
      operator: 'Equal',
      value,
      effect: 'NoSchedule',
    })),
    preferences: (choice?.preferred ?? []).map(({ weight, sizes }) => ({
      weight,
      preference: { matchExpressions: [{ key: NODE_SIZE_KEY, operator: 'In', values: [...sizes] }] },
    })),
  };
}
