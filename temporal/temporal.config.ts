import { z } from 'zod';

/** Where Temporal is; the same for every process that talks to it. */
export const temporalSettings = z.object({
  TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233').describe('host:port of the Temporal service'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('Temporal namespace of the hub'),
  TEMPORAL_UI_URL: z
    .url()
    .optional()
    .describe('base address of the Temporal UI; answers to operators then link to their workflow'),
});
export type TemporalSettings = z.infer<typeof temporalSettings>;
