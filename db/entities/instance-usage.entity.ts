import { defineEntity, p } from '@mikro-orm/core';

const InstanceUsageSchema = defineEntity({
  name: 'InstanceUsage',
  tableName: 'instance_usage',
  indexes: [{ name: 'instance_usage_model', properties: ['modelId'] }],
  properties: {
    instanceId: p.text().primary(),
    modelId: p.text(),
    namespace: p.text(),
    lastSampledAt: p.datetime().columnType('timestamptz'),
    cpuCount: p.integer(),
    cpuTotal: p.bigint('number'),
    cpuMin: p.integer(),
    cpuMax: p.integer(),
    memoryCount: p.integer(),
    memoryTotal: p.bigint('number'),
    memoryMin: p.bigint('number'),
    memoryMax: p.bigint('number'),
  },
});

/** All samples of an instance taken together, each once: CPU in millicores, memory in bytes. */
export class InstanceUsage extends InstanceUsageSchema.class {}
InstanceUsageSchema.setClass(InstanceUsage);
