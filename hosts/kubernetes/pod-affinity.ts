import type { V1Affinity, V1NodeAffinity, V1PodAffinity } from '@kubernetes/client-node';
import type { FieldsOf } from './fields-of.js';
import { HUB_LABEL, toLabelValue } from './hub-labels.js';
import type { NodeChoice } from './node-choice.js';

/** Weight of running beside other instances: less than a node of the right size, more than one that wastes. */
const PACKING_WEIGHT = 50;

/** Adds to what the template has: nodes of the right size, and beside other instances, so that few nodes are used. */
export function buildAffinity(
  template: FieldsOf<V1Affinity> | undefined,
  preferences: NodeChoice['preferences'],
  hub: string,
): V1Affinity {
  const nodes: FieldsOf<V1NodeAffinity> | undefined = template?.nodeAffinity;
  const pods: FieldsOf<V1PodAffinity> | undefined = template?.podAffinity;
  const besideOthers = {
    weight: PACKING_WEIGHT,
    podAffinityTerm: {
      topologyKey: 'kubernetes.io/hostname',
      labelSelector: { matchLabels: { [HUB_LABEL]: toLabelValue(hub) } },
    },
  };
  return {
    ...template,
    nodeAffinity: {
      ...nodes,
      preferredDuringSchedulingIgnoredDuringExecution: [
        ...(nodes?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
        ...preferences,
      ],
    },
    podAffinity: {
      ...pods,
      preferredDuringSchedulingIgnoredDuringExecution: [
        ...(pods?.preferredDuringSchedulingIgnoredDuringExecution ?? []),
        besideOthers,
      ],
    },
  };
}
