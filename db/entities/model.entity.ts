import { defineEntity, p } from '@mikro-orm/core';
import { executionModes, type ModelColumn } from '../../domain/model/model.wire.js';

/** What the catalogue says of a model; null where it says nothing. */
export interface ModelIdentification {
  description: string | null;
  title: string | null;
  interpretation: string | null;
  slug: string | null;
  source_code: string | null;
  publication: string | null;
  target_organisms: string[] | null;
  biomedical_areas: string[] | null;
}

const ModelSchema = defineEntity({
  name: 'Model',
  tableName: 'model',
  checks: [
    {
      name: 'model_execution_mode_check',
      expression: "execution_mode = ANY (ARRAY['SYNC'::text, 'ASYNC'::text])",
    },
    { name: 'model_max_instances_check', expression: 'max_instances >= -1' },
    { name: 'model_warm_seconds_check', expression: 'warm_seconds >= 0' },
  ],
  properties: {
    id: p.text().primary(),
    enabled: p.boolean().default(true),
    revision: p.integer().version().default(1),
    templateVersion: p.text().default('0.0.0'),
    description: p.text().default(''),
    executionMode: p.enum(executionModes).columnType('text').default('ASYNC'),
    image: p.text(),
    imageTag: p.text().default('latest'),
    cpuRequestMillicores: p.integer(),
    cpuLimitMillicores: p.integer(),
    memoryRequestMebibytes: p.integer(),
    memoryLimitMebibytes: p.integer(),
    disableMemoryLimit: p.boolean().default(false),
    maxInstances: p.integer().default(-1),
    warmSeconds: p.integer().default(60),
    cacheEnabled: p.boolean().default(false),
    columns: p.json<ModelColumn[]>().defaultRaw("'[]'::jsonb"),
    citation: p.text().nullable(),
    identificationDetails: p.json<ModelIdentification>().nullable(),
    lastUpdated: p.datetime().columnType('timestamptz').defaultRaw('now()'),
  },
});

/** A model that can be run: image, sizes, limits, columns, description. `revision` grows with every change. */
export class Model extends ModelSchema.class {}
ModelSchema.setClass(Model);
