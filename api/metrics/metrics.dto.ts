import { z } from 'zod';
import { InstanceMetrics } from '../../domain/instance/instance.wire.js';
import { cursorValue } from '../instances/cursor.js';

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

/** Query of the raw samples of all instances that have not ended. */
export const ActiveSamplesFilter = z.object({
  model_id: z.string().optional(),
  seconds: z.coerce.number().int().min(1).max(3600).default(600).describe('how far to look back from now'),
  limit: z.coerce.number().int().min(1).max(200).default(100).describe('instances in a page'),
  cursor: cursorValue.optional(),
});
export type ActiveSamplesFilter = z.infer<typeof ActiveSamplesFilter>;

export const InstanceMetricsList = z
  .object({ items: z.array(InstanceMetrics) })
  .meta({ id: 'InstanceMetricsList' });

const samples = z
  .array(z.object({ sampled_at: z.string(), cpu_millicores: z.number(), memory_bytes: z.number() }))
  .describe('oldest first: CPU as a rate, memory as working set');

export const UsageSamples = z.object({ instance_id: z.string(), samples }).meta({ id: 'UsageSamples' });

export const ActiveSamplesList = z
  .object({
    items: z
      .array(z.object({ model_id: z.string(), instance_id: z.string(), samples }))
      .describe('those that began last first; also instances of which there is no sample yet'),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: 'ActiveSamplesList' });

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
    missing_because: z
      .string()
      .nullable()
      .describe(
        'why there are no nodes, or no figures of what is used on them (not looked yet, not permitted, no nodes, no metrics API, not measured); null when nothing is missing',
      ),
  })
  .meta({ id: 'NodeUsageList' });
