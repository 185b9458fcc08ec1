import type { Sql } from '../database.js';
import { storableJson, storableText } from '../storable-text.js';

/** Something that somebody did to the hub. */
export interface Deed {
  readonly actorUserId: string;
  /** `<noun>.<verb>`, e.g. `model.update`. */
  readonly action: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly reason?: string | null | undefined;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Writes who did what. In the transaction of the deed itself, so that neither is there without the other. */
export async function recordAudit(sql: Sql, deed: Deed): Promise<void> {
  const reason = deed.reason ? storableText(deed.reason) : null;
  await sql.rows(
    `insert into audit_entry (actor_user_id, action, subject_type, subject_id, reason, details)
     values ($1, $2, $3, $4, $5, $6::jsonb)`,
    [
      deed.actorUserId,
      deed.action,
      deed.subjectType,
      deed.subjectId,
      reason,
      storableJson(deed.details ?? {}),
    ],
  );
}
