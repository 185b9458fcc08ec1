import { z } from 'zod';
import type { NodeFigureGap } from '../../domain/usage/node-figures.js';
import { HostUnavailableError } from '../model-host.js';
import { MODEL_CONTAINER } from './build-pod.js';
import { type ClusterApi, ClusterRefusal } from './cluster-api.js';
import { toHostError } from './hub-pods.js';
import { readBytes, readDuration, readMillicores } from './quantity.js';

const METRICS_PATH = '/apis/metrics.k8s.io/v1beta1';
const NOT_FOUND = 404;
const FORBIDDEN = 403;
const UNAVAILABLE = 503;

/**
 * What one pod or node uses now. Of a pod the container of the model server alone: its limit is what the figures are held
 * against, and what a template runs beside it is not the model's.
 */
export interface MeasuredUsage {
  readonly name: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly sampledAt: string;
  /** Length of the time before `sampledAt` over which CPU was averaged, s; left out where CPU and memory are of no such one. */
  readonly windowSeconds?: number;
}

/** Where CPU and memory of pods are read. */
export interface UsageSource {
  /** Every pod of the hub in one call; else why nobody measures them, in words for operators. */
  readPods(): Promise<readonly MeasuredUsage[] | string>;
  /** Every node in one call, else why there are no figures. */
  readNodes(): Promise<readonly MeasuredUsage[] | NodeFigureGap>;
}

const quantities = z.object({ cpu: z.string().nullish(), memory: z.string().nullish() });
const measured = z.object({
  metadata: z.object({ name: z.string() }),
  timestamp: z.string(),
  window: z.string().nullish(),
});
const podMetrics = measured.extend({
  containers: z.array(z.object({ name: z.string(), usage: quantities })),
});
const nodeMetrics = measured.extend({ usage: quantities });
const list = z.object({ items: z.array(z.unknown()).nullish() });

/** Usage from the metrics server of the cluster. */
export function createMetricsApi(api: ClusterApi, namespace: string, labelSelector: string): UsageSource {
  return {
    readPods: async () => {
      const path = `${METRICS_PATH}/namespaces/${encodeURIComponent(namespace)}/pods`;
      try {
        const { items } = list.parse(await api.json({ path, query: { labelSelector } }));
        return (items ?? []).flatMap((item) => {
          const pod = podMetrics.safeParse(item).data;
          const server = pod?.containers.find(({ name }) => name === MODEL_CONTAINER);
          return pod && server ? [toUsage(pod, server)] : [];
        });
      } catch (error) {
        if (!(error instanceof ClusterRefusal)) throw error;
        if (error.status === NOT_FOUND) return noMetricsApi(error);
        throw error.status === UNAVAILABLE
          ? new HostUnavailableError(noMetricsApi(error), { cause: error })
          : toHostError(error);
      }
    },
    readNodes: async () => {
      try {
        const { items } = list.parse(await api.json({ path: `${METRICS_PATH}/nodes` }));
        return (items ?? []).flatMap((item) => {
          const node = nodeMetrics.safeParse(item).data;
          return node ? [toUsage(node, node)] : [];
        });
      } catch (error) {
        if (!(error instanceof ClusterRefusal)) throw error;
        if (error.status === FORBIDDEN) return 'use-not-permitted';
        if (error.status === NOT_FOUND) return 'no-metrics-api';
        throw toHostError(error);
      }
    },
  };
}

function toUsage(
  { metadata, timestamp, window }: z.infer<typeof measured>,
  { usage }: { readonly usage: z.infer<typeof quantities> },
): MeasuredUsage {
  const windowSeconds = readDuration(window);
  return {
    name: metadata.name,
    cpuMillicores: readMillicores(usage.cpu) ?? 0,
    memoryBytes: readBytes(usage.memory) ?? 0,
    sampledAt: new Date(timestamp).toISOString(),
    ...(windowSeconds === null ? {} : { windowSeconds }),
  };
}

function noMetricsApi({ told }: ClusterRefusal): string {
  return `the cluster has no metrics.k8s.io (${told}): install metrics-server, or set USAGE_SOURCE to prometheus or none`;
}
