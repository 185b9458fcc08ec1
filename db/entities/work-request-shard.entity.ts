import { defineEntity, p } from '@mikro-orm/core';
import type { ShardState } from '../../domain/work-request/work-request.js';

const WorkRequestShardSchema = defineEntity({
  name: 'WorkRequestShard',
  tableName: 'work_request_shard',
  properties: {
    expiresOn: p.date().primary(),
    requestId: p.bigint('number').primary(),
    shardNo: p.integer().primary(),
    state: p.text().$type<ShardState>().default('PENDING'),
    leaseToken: p.text().nullable(),
    firstRow: p.integer(),
    rowCount: p.integer(),
    attempt: p.integer().default(0),
    jobId: p.text().nullable(),
    error: p.text().nullable(),
    rowsFailed: p.integer().default(0),
    rowsInvalid: p.integer().default(0),
    input: p.blob(),
    result: p.blob().nullable(),
  },
});

/** A run of rows handled in one call to an instance. Partitioned by `expiresOn`; never asked for without it. */
export class WorkRequestShard extends WorkRequestShardSchema.class {}
WorkRequestShardSchema.setClass(WorkRequestShard);
