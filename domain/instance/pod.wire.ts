import { z } from 'zod';

/** When a container state began, ISO; each null while the container is not in it. */
const stateTimesSchema = z.object({
  running: z.string().nullable(),
  terminated: z.string().nullable(),
  waiting: z.string().nullable(),
});

/** How a container last ended, in the cluster's words. */
const terminatedStateSchema = z.object({
  exit_code: z.number().int().nullable(),
  finished_at: z.string().nullable(),
  message: z.string().nullable(),
  reason: z.string().nullable(),
  signal: z.number().int().nullable(),
  started_at: z.string().nullable(),
});

const podConditionSchema = z.object({
  last_probe_time: z.string().nullable(),
  last_transition_time: z.string().nullable(),
  message: z.string().nullable(),
  reason: z.string().nullable(),
  status: z.string(),
  type: z.string(),
});

/**
 * An instance as its host sees it, in the shape that clients of the original hub know as a pod.
 * CPU in millicores, memory in MiB, times ISO in UTC. A process of the local host is shown the same way.
 */
export const Pod = z
  .object({
    name: z.string(),
    namespace: z.string(),
    state: z.object({
      phase: z.string(),
      started: z.boolean(),
      ready: z.boolean(),
      restart_count: z.number().int(),
      state_times: stateTimesSchema,
      last_state_times: stateTimesSchema,
      last_terminated_state: terminatedStateSchema.nullable(),
    }),
    ip: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    pod_state: z.object({
      conditions: z.array(podConditionSchema),
      message: z.string().nullable(),
      reason: z.string().nullable(),
      start_time: z.string().nullable(),
    }),
    node_name: z.string().nullable(),
    resources: z
      .object({
        cpu_request: z.number().int().nullable(),
        cpu_limit: z.number().int().nullable(),
        memory_request: z.number().int().nullable(),
        memory_limit: z.number().int().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'Pod' });
export type Pod = z.infer<typeof Pod>;
