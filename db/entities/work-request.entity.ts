import { defineEntity, p } from '@mikro-orm/core';
import type { Failure } from '../../domain/failure.js';
import { userKinds } from '../../domain/session/user-kind.js';
import { workRequestStates } from '../../domain/work-request/work-request.js';
import type { InputVerdict } from '../../domain/work-request/work-request.wire.js';
import { Model } from './model.entity.js';

const WorkRequestSchema = defineEntity({
  name: 'WorkRequest',
  tableName: 'work_request',
  indexes: [
    // As SQL, compared by name only: the ORM takes the "id" in "user_id" for the column that is sorted downwards.
    {
      name: 'work_request_user',
      expression: 'create index work_request_user on work_request (user_id, id desc)',
    },
    {
      name: 'work_request_model',
      expression: 'create index work_request_model on work_request (model_id, id desc)',
    },
    {
      name: 'work_request_open',
      properties: ['id'],
      where: "state = ANY (ARRAY['QUEUED'::text, 'SCHEDULING'::text, 'PROCESSING'::text])",
    },
    {
      name: 'work_request_failed',
      properties: ['id'],
      where: "state = ANY (ARRAY['FAILED'::text, 'CANCELLED'::text])",
    },
    { name: 'work_request_created', properties: ['createdAt'] },
    { name: 'work_request_expires', properties: ['expiresOn'] },
  ],
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    runKey: p.text().defaultRaw('(gen_random_uuid())::text'),
    userId: p.text(),
    userKind: p.enum(userKinds).columnType('text'),
    sessionId: p.text(),
    model: () =>
      p
        .manyToOne(Model)
        .ref()
        .deleteRule('no action')
        .updateRule('no action')
        .index(false)
        .foreignKeyName('work_request_model_id_fkey'),
    state: p.enum(workRequestStates).columnType('text').default('QUEUED'),
    failure: p.json<Failure>().nullable(),
    version: p.integer().default(0),
    expiresOn: p.date(),
    verdict: p.json<InputVerdict>().nullable(),
    columnNames: p.json<string[]>().defaultRaw("'[]'::jsonb"),
    smilesColumn: p.integer().default(0),
    resultColumns: p.json<string[]>().nullable(),
    cacheOptIn: p.boolean().default(false),
    hasHeader: p.boolean().default(false),
    rowCount: p.integer().default(0),
    shardCount: p.integer().default(0),
    shardsDone: p.integer().default(0),
    rowsDone: p.integer().default(0),
    rowsFailed: p.integer().default(0),
    rowsInvalid: p.integer().default(0),
    slices: p.integer().default(1),
    attempts: p.integer().default(0),
    attemptsWithoutProgress: p.integer().default(0),
    memoryKills: p.integer().default(0),
    memoryBytes: p.bigint('number').nullable(),
    modelVersion: p.text().nullable(),
    tracking: p.json<Record<string, unknown>>().defaultRaw("'{}'::jsonb"),
    createdAt: p.datetime().columnType('timestamptz').defaultRaw('now()'),
    lastUpdated: p.datetime().columnType('timestamptz').defaultRaw('now()'),
    lastStartedAt: p.datetime().columnType('timestamptz').nullable(),
    instanceReadyAt: p.datetime().columnType('timestamptz').nullable(),
    jobSubmittedAt: p.datetime().columnType('timestamptz').nullable(),
    processedAt: p.datetime().columnType('timestamptz').nullable(),
  },
});

/** A user's rows for one model, and what became of them. Its state is written by `moveWorkRequest` alone. */
export class WorkRequest extends WorkRequestSchema.class {}
WorkRequestSchema.setClass(WorkRequest);
