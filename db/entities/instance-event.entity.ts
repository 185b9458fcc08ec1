import { defineEntity, p } from '@mikro-orm/core';

const InstanceEventSchema = defineEntity({
  name: 'InstanceEvent',
  tableName: 'instance_event',
  uniques: [
    {
      name: 'instance_event_host',
      properties: ['expiresOn', 'instanceId', 'eventId'],
      where: 'event_id is not null',
    },
  ],
  properties: {
    expiresOn: p.date().primary(),
    instanceId: p.text().primary(),
    eventNo: p.integer().primary(),
    source: p.text(),
    type: p.text(),
    eventId: p.text().nullable(),
    at: p.datetime().columnType('timestamptz').defaultRaw('now()'),
    details: p.json<Record<string, unknown>>().defaultRaw("'{}'::jsonb"),
  },
});

/** Something that happened to an instance. Partitioned by `expiresOn`; never asked for without it. */
export class InstanceEvent extends InstanceEventSchema.class {}
InstanceEventSchema.setClass(InstanceEvent);
