import { z } from 'zod';

/** Query of the list of deeds. Empty filters count as not given. */
export const AuditFilter = z.object({
  subject_type: z.string().max(100).optional().describe('what it was done to, e.g. instance or model'),
  subject_id: z.string().max(300).optional(),
  action: z.string().max(100).optional().describe('e.g. model.update'),
  actor_user_id: z.string().max(100).optional().describe('who did it'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.uuid().optional().describe('next_cursor of the page before'),
});
export type AuditFilter = z.infer<typeof AuditFilter>;

/** Something that somebody did to the hub. */
const AuditEntry = z
  .object({
    id: z.string(),
    at: z.string().describe('UTC time, 6 decimals'),
    actor_user_id: z.string(),
    actor_username: z.string().nullable().describe('null when the account is gone'),
    action: z.string(),
    subject_type: z.string(),
    subject_id: z.string(),
    reason: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).describe('what was done, in the words of the action'),
  })
  .meta({ id: 'AuditEntry' });

export const AuditList = z
  .object({ items: z.array(AuditEntry), next_cursor: z.string().nullable() })
  .meta({ id: 'AuditList' });
