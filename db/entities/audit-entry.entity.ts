import { defineEntity, p } from '@mikro-orm/core';

const AuditEntrySchema = defineEntity({
  name: 'AuditEntry',
  tableName: 'audit_entry',
  indexes: [{ name: 'audit_entry_subject', properties: ['subjectType', 'subjectId', 'id'] }],
  properties: {
    id: p.text().primary().defaultRaw('(uuidv7())::text'),
    at: p.datetime().columnType('timestamptz').defaultRaw('now()'),
    actorUserId: p.text(),
    action: p.text(),
    subjectType: p.text(),
    subjectId: p.text(),
    reason: p.text().nullable(),
    details: p.json<Record<string, unknown>>().defaultRaw("'{}'::jsonb"),
  },
});

/** Who did what to what, and why. Written in the transaction that does it; never changed. */
export class AuditEntry extends AuditEntrySchema.class {}
AuditEntrySchema.setClass(AuditEntry);
