import { defineEntity, p } from '@mikro-orm/core';
import { instanceStates, type TerminationReason } from '../../domain/instance/instance.js';
import type { Pod } from '../../domain/instance/pod.wire.js';

const ModelInstanceSchema = defineEntity({
  name: 'ModelInstance',
  tableName: 'model_instance',
  indexes: [
    { name: 'model_instance_live', properties: ['modelId'], where: "state <> 'TERMINATED'::text" },
    {
      name: 'model_instance_created',
      columns: [
        { name: 'created_at', sort: 'DESC' },
        { name: 'id', sort: 'DESC' },
      ],
    },
    {
      name: 'model_instance_updated',
      columns: [
        { name: 'last_updated', sort: 'DESC' },
        { name: 'id', sort: 'DESC' },
      ],
    },
    // As SQL: the ORM takes the "id" in "model_id" for the column that is sorted downwards.
    {
      name: 'model_instance_model_updated',
      expression:
        'create index model_instance_model_updated on model_instance (model_id, last_updated desc, id desc)',
    },
    {
      name: 'model_instance_pod_phase',
      expression:
        "create index model_instance_pod_phase on model_instance (((pod -> 'state') ->> 'phase'), last_updated desc, id desc)",
    },
  ],
  properties: {
    id: p.text().primary(),
    modelId: p.text(),
    modelRevision: p.integer(),
    image: p.text(),
    state: p.enum(instanceStates).columnType('text').default('REQUESTED'),
    terminationReason: p.text().$type<TerminationReason>().nullable(),
    terminationMessage: p.text().nullable(),
    host: p.text(),
    uid: p.text().nullable(),
    resourceVersion: p.bigint('number').defaultRaw('0'),
    address: p.text().nullable(),
    node: p.text().nullable(),
    waitingReason: p.text().nullable(),
    waitingMessage: p.text().nullable(),
    waitingSince: p.datetime().columnType('timestamptz').nullable(),
    exitCode: p.integer().nullable(),
    pod: p.json<Pod>().nullable(),
    stopRequestedBy: p.text().nullable(),
    cpuRequestMillicores: p.integer(),
    cpuLimitMillicores: p.integer(),
    memoryRequestBytes: p.bigint('number'),
    memoryLimitBytes: p.bigint('number').nullable(),
    warmSeconds: p.integer(),
    modelVersion: p.text().nullable(),
    peakMemoryBytes: p.bigint('number').nullable(),
    eventCount: p.integer().default(0),
    expiresOn: p.date(),
    createdAt: p.datetime().columnType('timestamptz').defaultRaw('now()'),
    placedAt: p.datetime().columnType('timestamptz').nullable(),
    readyAt: p.datetime().columnType('timestamptz').nullable(),
    firstCallAt: p.datetime().columnType('timestamptz').nullable(),
    unreadySince: p.datetime().columnType('timestamptz').nullable(),
    idleSince: p.datetime().columnType('timestamptz').nullable(),
    terminatingAt: p.datetime().columnType('timestamptz').nullable(),
    terminatedAt: p.datetime().columnType('timestamptz').nullable(),
    lastUpdated: p.datetime().columnType('timestamptz').defaultRaw('now()'),
  },
});

/** One running server of a model, a pod or a process; a row that is not `TERMINATED` is a taken place. */
export class ModelInstance extends ModelInstanceSchema.class {}
ModelInstanceSchema.setClass(ModelInstance);
