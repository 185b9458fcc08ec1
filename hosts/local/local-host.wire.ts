import { z } from 'zod';

/** What the local host accepts as an instance: `InstanceSpec` of the host contract, checked at the socket. */
export const instanceSpecSchema = z.object({
  instanceId: z.string().min(1).max(300),
  modelId: z.string().min(1).max(300),
  image: z.string(),
  templateVersion: z.string(),
  cpuRequestMillicores: z.number().int().min(0),
  cpuLimitMillicores: z.number().int().min(0),
  memoryRequestBytes: z.number().int().min(0),
  memoryLimitBytes: z.number().int().min(1).nullable(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
});

/** Which lines of a log are wanted; ISO times. */
export const logWindowSchema = z.object({
  tailLines: z.coerce.number().int().min(0).optional(),
  headLines: z.coerce.number().int().min(0).optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
});

/** The line a watch sends when nothing else was to be said, so that silence means a gap. */
export const HEARTBEAT_LINE = '{"type":"heartbeat"}\n';
export const HEARTBEAT_INTERVAL_MS = 2000;

/** What the socket answers beside 200. Everything else is a fault of the host and worth another try. */
export const REFUSED_STATUS = 422;
export const BAD_CALL_STATUS = 400;
