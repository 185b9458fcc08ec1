import type { Model as ModelRow } from '../../db/entities/model.entity.js';
import type { Model } from '../../domain/model/model.wire.js';

/** A model as the wire has it. */
export function toModel(row: ModelRow): Model {
  return {
    id: row.id,
    enabled: row.enabled,
    revision: row.revision,
    last_updated: toMicroseconds(row.lastUpdated),
    details: {
      template_version: row.templateVersion,
      description: row.description,
      disable_memory_limit: row.disableMemoryLimit,
      max_instances: row.maxInstances,
      execution_mode: row.executionMode,
      k8s_resources: {
        cpu_request: row.cpuRequestMillicores,
        cpu_limit: row.cpuLimitMillicores,
        memory_request: row.memoryRequestMebibytes,
        memory_limit: row.memoryLimitMebibytes,
      },
      image: row.image,
      image_tag: row.imageTag,
      cache_enabled: row.cacheEnabled,
      warm_seconds: row.warmSeconds,
      columns: [...row.columns],
      citation: row.citation ?? null,
      identification_details: row.identificationDetails ?? null,
    },
  };
}

/** The ORM reads times as `Date`, so their last three digits are always zero. */
const toMicroseconds = (time: Date) => time.toISOString().replace('Z', '000Z');
