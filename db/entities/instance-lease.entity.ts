import { defineEntity, p } from '@mikro-orm/core';
import { leaseStates } from '../../domain/instance/instance.js';

const InstanceLeaseSchema = defineEntity({
  name: 'InstanceLease',
  tableName: 'instance_lease',
  indexes: [
    { name: 'instance_lease_waiting', properties: ['requestedAt'], where: "state = 'WAITING'::text" },
    { name: 'instance_lease_request', properties: ['requestId'] },
    { name: 'instance_lease_history', properties: ['instanceId', 'grantedAt'] },
    { name: 'instance_lease_released', properties: ['releasedAt'] },
  ],
  uniques: [
    { name: 'instance_lease_instance', properties: ['instanceId'], where: "state = 'GRANTED'::text" },
    {
      name: 'instance_lease_slice',
      properties: ['requestId', 'runKey', 'slice'],
      where: "state <> 'RELEASED'::text",
    },
  ],
  properties: {
    leaseToken: p.text().primary(),
    requestId: p.bigint('number'),
    runKey: p.text(),
    slice: p.integer(),
    userId: p.text(),
    modelId: p.text(),
    memoryBytes: p.bigint('number').nullable(),
    state: p.enum(leaseStates).columnType('text').default('WAITING'),
    instanceId: p.text().nullable(),
    requestedAt: p.datetime().columnType('timestamptz').defaultRaw('now()'),
    grantedAt: p.datetime().columnType('timestamptz').nullable(),
    acknowledgedAt: p.datetime().columnType('timestamptz').nullable(),
    begunAt: p.datetime().columnType('timestamptz').nullable(),
    releasedAt: p.datetime().columnType('timestamptz').nullable(),
    chargedSeconds: p.double().default(0),
    shards: p.integer().default(0),
    rows: p.integer().default(0),
    peakMemoryBytes: p.bigint('number').nullable(),
    peakCpuMillicores: p.integer().nullable(),
    usageSamples: p.integer().default(0),
    cpuSeconds: p.double().nullable(),
    outcome: p.text().nullable(),
  },
});

/** An instance waited for, working, or having worked for one slice of one run of a request. */
export class InstanceLease extends InstanceLeaseSchema.class {}
InstanceLeaseSchema.setClass(InstanceLease);
