import { z } from 'zod';
import { InstanceMetrics } from '../../domain/instance/instance.wire.js';

/** Query of the running averages. */
export const MetricsFilter = z.object({
  active: z.stringbool().default(true).describe('instances that have not ended'),
  persisted: z.stringbool().default(false).describe('instances that have'),
  model_id: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(5000).default(1000),
});
export type MetricsFilter = z.infer<typeof MetricsFilter>;

/** Query of raw samples. */
export const SamplesFilter = z.object({
  seconds: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(600)
    .describe('how far to look back from the last sample'),
  limit: z.coerce.number().int().min(1).max(5000).default(1000),
});
export type SamplesFilter = z.infer<typeof SamplesFilter>;

export const InstanceMetricsList = z
  .object({ items: z.array(InstanceMetrics) })
  .meta({ id: 'InstanceMetricsList' });

export const UsageSamples = z
  .object({
    instance_id: z.string(),
    samples: z
      .array(z.object({ sampled_at: z.string(), cpu_millicores: z.number(), memory_bytes: z.number() }))
      .describe('oldest first'),
  })
  .meta({ id: 'UsageSamples' });

export const NodeUsageList = z
  .object({
    items: z.array(
      z.object({
        node: z.string(),
        allocatable_cpu_millicores: z.number(),
        allocatable_memory_bytes: z.number(),
        requested_cpu_millicores: z.number(),
        requested_memory_bytes: z.number(),
        used_cpu_millicores: z.number().nullable().describe('null where nobody measures it'),
        used_memory_bytes: z.number().nullable().describe('null where nobody measures it'),
        sampled_at: z.string(),
      }),
    ),
    missing_because: z.string().nullable().describe('why there are no figures; null when there are'),
  })
  .meta({ id: 'NodeUsageList' });
