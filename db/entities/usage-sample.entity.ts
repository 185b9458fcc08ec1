import { defineEntity, p } from '@mikro-orm/core';

const UsageSampleSchema = defineEntity({
  name: 'UsageSample',
  tableName: 'usage_sample',
  properties: {
    expiresOn: p.date().primary(),
    instanceId: p.text().primary(),
    sampledAt: p.datetime().columnType('timestamptz').primary(),
    cpuMillicores: p.integer(),
    memoryBytes: p.bigint('number'),
  },
});

/** CPU rate and memory of an instance at a time. Partitioned by `expiresOn`; never asked for without it. */
export class UsageSample extends UsageSampleSchema.class {}
UsageSampleSchema.setClass(UsageSample);
