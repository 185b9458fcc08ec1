import { defineEntity, p } from '@mikro-orm/core';

const NodeUsageSchema = defineEntity({
  name: 'NodeUsage',
  tableName: 'node_usage',
  properties: {
    node: p.text().primary(),
    allocatableCpuMillicores: p.integer(),
    allocatableMemoryBytes: p.bigint('number'),
    requestedCpuMillicores: p.integer(),
    requestedMemoryBytes: p.bigint('number'),
    usedCpuMillicores: p.integer().nullable(),
    usedMemoryBytes: p.bigint('number').nullable(),
    sampledAt: p.datetime().columnType('timestamptz'),
  },
});

/** What a node offers, what is requested of it and what is used there, as of the last look; no row where not permitted. */
export class NodeUsage extends NodeUsageSchema.class {}
NodeUsageSchema.setClass(NodeUsage);
