import { defineEntity, p } from '@mikro-orm/core';
import type { RequestEventType } from '../../domain/work-request/work-request.js';

const WorkRequestEventSchema = defineEntity({
  name: 'WorkRequestEvent',
  tableName: 'work_request_event',
  properties: {
    expiresOn: p.date().primary(),
    requestId: p.bigint('number').primary(),
    eventNo: p.integer().primary(),
    type: p.text().$type<RequestEventType>(),
    at: p.datetime().columnType('timestamptz').defaultRaw('now()'),
    details: p.json<Record<string, unknown>>().defaultRaw("'{}'::jsonb"),
  },
});

/** One step of a request's progress. Partitioned by `expiresOn`; never asked for without it. */
export class WorkRequestEvent extends WorkRequestEventSchema.class {}
WorkRequestEventSchema.setClass(WorkRequestEvent);
