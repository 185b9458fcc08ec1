/** Why nothing is known of nodes, or nothing of what is used on them. */
export const nodeFigureGaps = [
  'nodes-not-permitted',
  'no-nodes',
  'use-not-permitted',
  'no-metrics-api',
  'use-not-measured',
] as const;
export type NodeFigureGap = (typeof nodeFigureGaps)[number];

const words: Readonly<Record<NodeFigureGap, string>> = {
  'nodes-not-permitted':
    'Not permitted: the hub may not read nodes; grant it get and list on nodes and on nodes.metrics.k8s.io',
  'no-nodes': 'No nodes: the hub may read nodes, and there is none',
  'use-not-permitted':
    'Not permitted: the hub may not read what is used on nodes; grant it get and list on nodes.metrics.k8s.io',
  'no-metrics-api':
    'No metrics API: the cluster has no metrics.k8s.io, so nobody knows what is used on nodes; install metrics-server',
  'use-not-measured':
    'Not measured: USAGE_SOURCE names a source that does not tell what is used on nodes; metrics-api does',
};

/**
 * Why figures of nodes are missing, in words for operators; null where none is.
 * @param look the last look at the nodes; null before the first
 */
export function explainNodeFigures(look: { readonly gap: NodeFigureGap | null } | null): string | null {
  if (look === null)
    return 'Not looked yet: a worker looks at the nodes every 15 s; if this stays, its log says why it can not';
  return look.gap === null ? null : words[look.gap];
}
