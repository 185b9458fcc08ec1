import { defineEntity, p } from '@mikro-orm/core';
import type { FailureType } from '../../domain/failure.js';
import type { UserKind } from '../../domain/session/user-kind.js';
import type { WorkRequestState } from '../../domain/work-request/work-request.js';

const RequestStatisticSchema = defineEntity({
  name: 'RequestStatistic',
  tableName: 'request_statistic',
  indexes: [{ name: 'request_statistic_model', properties: ['modelId', 'processedAt'] }],
  properties: {
    requestId: p.bigint('number').primary().autoincrement(false),
    modelId: p.text(),
    userId: p.text(),
    userKind: p.text().$type<UserKind>(),
    sessionId: p.text(),
    state: p.text().$type<WorkRequestState>(),
    failureType: p.text().$type<FailureType>().nullable(),
    rowCount: p.integer(),
    rowsFailed: p.integer(),
    rowsInvalid: p.integer(),
    attempts: p.integer(),
    requestedAt: p.datetime().columnType('timestamptz'),
    instanceReadyAt: p.datetime().columnType('timestamptz').nullable(),
    jobSubmittedAt: p.datetime().columnType('timestamptz').nullable(),
    processedAt: p.datetime().columnType('timestamptz'),
  },
});

/** Times, sizes and outcome of one request; stays when the request is deleted. */
export class RequestStatistic extends RequestStatisticSchema.class {}
RequestStatisticSchema.setClass(RequestStatistic);
