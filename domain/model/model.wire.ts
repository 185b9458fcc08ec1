import { z } from 'zod';

export const executionModes = ['SYNC', 'ASYNC'] as const;

/** One output column of a model, in the model's own order. */
export const ModelColumn = z
  .object({
    name: z.string(),
    type: z.enum(['number', 'integer', 'boolean', 'string']),
    unit: z.string().nullable(),
    description: z.string(),
  })
  .meta({ id: 'ModelColumn' });
export type ModelColumn = z.infer<typeof ModelColumn>;

export const IdentificationDetails = z
  .object({
    description: z.string().nullable(),
    title: z.string().nullable(),
    interpretation: z.string().nullable(),
    slug: z.string().nullable(),
    source_code: z.string().nullable(),
    publication: z.string().nullable(),
    target_organisms: z.array(z.string()).nullable(),
    biomedical_areas: z.array(z.string()).nullable(),
  })
  .meta({ id: 'IdentificationDetails' });

/** A model on the wire: cpu in millicores, memory in mebibytes. */
export const Model = z
  .object({
    id: z.string(),
    enabled: z.boolean(),
    revision: z.number().int().describe('grows with every change; given back, it guards an update'),
    last_updated: z.string(),
    details: z.object({
      template_version: z.string(),
      description: z.string(),
      disable_memory_limit: z.boolean(),
      max_instances: z.number().int().describe('-1 no limit of its own, 0 none may start, n at most n'),
      execution_mode: z.enum(executionModes),
      k8s_resources: z.object({
        cpu_request: z.number(),
        cpu_limit: z.number(),
        memory_request: z.number(),
        memory_limit: z.number(),
      }),
      image: z.string().describe('repository of the image, without a tag'),
      image_tag: z.string(),
      cache_enabled: z.boolean(),
      warm_seconds: z.number().int().describe('how long an idle instance is kept'),
      columns: z.array(ModelColumn).describe('[] when the model did not state them'),
      citation: z.string().nullable(),
      identification_details: IdentificationDetails.nullable(),
    }),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof Model>;

export const ModelList = z.object({ items: z.array(Model) }).meta({ id: 'ModelList' });
