import { z } from 'zod';

export const Alive = z.object({ status: z.literal('ok'), hub: z.literal(true) }).meta({ id: 'Alive' });

export const PartHealth = z
  .object({ ok: z.boolean(), latency_ms: z.number(), error: z.string().nullable() })
  .meta({ id: 'PartHealth' });
export type PartHealth = z.infer<typeof PartHealth>;

export const Health = z
  .object({
    status: z.enum(['ok', 'degraded']),
    hub: z.literal(true),
    parts: z.object({ database: PartHealth, temporal: PartHealth }),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;
