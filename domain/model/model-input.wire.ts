import { z } from 'zod';
import { executionModes, IdentificationDetails, ModelColumn } from './model.wire.js';

/** Becomes a label and part of the names of pods, so it is what Kubernetes takes for a name. */
const ModelId = z
  .string()
  .regex(
    /^eos[a-z0-9-]{0,46}[a-z0-9]$/,
    'Must begin with eos and have 4 to 50 lower-case letters, digits or hyphens, the last no hyphen',
  );

/** Forms of pages send their numbers as text. */
const wholeNumber = (least: number, most: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\s*-?\d{1,9}\s*$/.test(value) ? Number(value) : value),
    z.number().int().min(least).max(most),
  );
const cpu = (least: number, most: number) => wholeNumber(least, most).describe('millicores');
const memory = (least: number, most: number) => wholeNumber(least, most).describe('MiB');

const ModelResources = z
  .object({
    cpu_request: cpu(10, 1000),
    cpu_limit: cpu(50, 5000),
    memory_request: memory(50, 5000),
    memory_limit: memory(100, 15_000),
  })
  .refine(({ cpu_request, cpu_limit }) => cpu_request <= cpu_limit, {
    path: ['cpu_limit'],
    message: 'Must not be below cpu_request',
  })
  .refine(({ memory_request, memory_limit }) => memory_request <= memory_limit, {
    path: ['memory_limit'],
    message: 'Must not be below memory_request',
  });

/** What an admin says of a model. What is left out of the second half stays as it is, or has its ordinary value. */
const ModelDetailsInput = z.object({
  template_version: z.string().min(1).max(50).default('0.0.0'),
  description: z.string().min(5).max(10_000),
  disable_memory_limit: z.boolean().default(false),
  max_instances: wholeNumber(-1, 30)
    .default(-1)
    .describe('-1 no limit of its own, 0 none may start, n at most n'),
  execution_mode: z.enum(executionModes).default('ASYNC'),
  k8s_resources: ModelResources,
  image_tag: z
    .string()
    .min(4)
    .max(128)
    .regex(/^\w[\w.-]*$/, 'Must be the tag of an image: letters, digits, underscores, dots, hyphens')
    .default('latest'),
  cache_enabled: z.boolean().default(false),
  identification_details: IdentificationDetails.nullable().default(null),
  image: z
    .string()
    .max(255)
    .regex(/^[a-z0-9][a-z0-9._/:-]*[a-z0-9]$/, 'Must be the name of an image without its tag')
    .optional()
    .describe('repository of the image, without a tag; ersiliaos/<id> by default'),
  warm_seconds: wholeNumber(0, 86_400).optional().describe('how long an idle instance is kept'),
  columns: z.array(ModelColumn).max(20_000).optional(),
  citation: z.string().max(10_000).nullable().optional(),
});
export type ModelDetailsInput = z.infer<typeof ModelDetailsInput>;

/** Body of `POST /api/models`. */
export const CreateModel = z
  .object({ id: ModelId, enabled: z.boolean(), details: ModelDetailsInput })
  .meta({ id: 'CreateModel' });
export type CreateModel = z.infer<typeof CreateModel>;

/** As large as the database's integers go. */
const LARGEST_REVISION = 2_147_483_647;

/** Body of `PUT /api/models/{id}`: the whole model. The id is the path's; `last_updated` is not looked at. */
export const UpdateModel = z
  .object({
    enabled: z.boolean(),
    details: ModelDetailsInput,
    revision: wholeNumber(1, LARGEST_REVISION)
      .optional()
      .describe('revision that was read before; refused with 409 when the model has changed since'),
  })
  .meta({ id: 'UpdateModel' });
export type UpdateModel = z.infer<typeof UpdateModel>;

export const ClearedCache = z.object({ result: z.literal('SUCCESS') }).meta({ id: 'ClearedCache' });

/** How many instances of a model there are, and may be. */
export const ScalingInfo = z
  .object({
    enabled: z.literal(true),
    current_instances: z.number().int(),
    max_instances: z.number().int().describe('-1 no limit of its own'),
  })
  .meta({ id: 'ScalingInfo' });
export type ScalingInfo = z.infer<typeof ScalingInfo>;
