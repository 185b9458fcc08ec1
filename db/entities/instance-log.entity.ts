import { defineEntity, p } from '@mikro-orm/core';

const InstanceLogSchema = defineEntity({
  name: 'InstanceLog',
  tableName: 'instance_log',
  properties: {
    expiresOn: p.date().primary(),
    instanceId: p.text().primary(),
    log: p.blob(),
    keptAt: p.datetime().columnType('timestamptz').defaultRaw('now()'),
  },
});

/** The log an ended instance left behind, compressed. Partitioned by `expiresOn`; never asked for without it. */
export class InstanceLog extends InstanceLogSchema.class {}
InstanceLogSchema.setClass(InstanceLog);
