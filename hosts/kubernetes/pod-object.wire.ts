import { z } from 'zod';

/**
 * A pod as the API server tells it, as far as the hub reads it. Nothing here refuses: whatever is missing or can't be
 * read becomes null or empty, because a pod that is passed over would run on without an owner.
 */
const text = z.string().nullable().catch(null);
const texts = z.record(z.string(), z.string().catch('')).catch({});
const whole = z.number().int().nullable().catch(null);
const flag = z.boolean().catch(false);
const listOf = <Schema extends z.ZodType>(schema: Schema) => z.array(schema).catch([]);
const part = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.preprocess((value) => (isObject(value) ? value : {}), z.object(shape));

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const containerEnd = z.object({
  exitCode: whole,
  finishedAt: text,
  message: text,
  reason: text,
  signal: whole,
  startedAt: text,
});
export type ContainerEnd = z.infer<typeof containerEnd>;

const containerState = part({
  running: part({ startedAt: text }),
  terminated: containerEnd.nullable().catch(null),
  waiting: part({ reason: text, message: text }),
});

const containerStatus = part({
  name: text,
  ready: flag,
  started: flag,
  restartCount: z.number().int().min(0).catch(0),
  state: containerState,
  lastState: containerState,
});
export type ContainerStatus = z.infer<typeof containerStatus>;

const condition = part({
  type: z.string().catch('Unknown'),
  status: z.string().catch('Unknown'),
  reason: text,
  message: text,
  lastProbeTime: text,
  lastTransitionTime: text,
});
export type PodCondition = z.infer<typeof condition>;

const container = part({
  name: text,
  ports: listOf(part({ containerPort: whole })),
  resources: part({ requests: texts, limits: texts }),
});

export const podObject = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    namespace: z.string().catch(''),
    resourceVersion: z.string().catch('0'),
    creationTimestamp: text,
    deletionTimestamp: text,
    labels: texts,
    annotations: texts,
  }),
  spec: part({ nodeName: text, containers: listOf(container) }),
  status: part({
    phase: z.string().catch('Unknown'),
    reason: text,
    message: text,
    podIP: text,
    startTime: text,
    conditions: listOf(condition),
    containerStatuses: listOf(containerStatus),
    initContainerStatuses: listOf(containerStatus),
  }),
});
/** Only name and uid must be there; the API server makes both. */
export type PodObject = z.infer<typeof podObject>;
