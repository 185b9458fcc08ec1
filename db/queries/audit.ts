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

/** Which deeds are wanted; what is undefined is not looked at. */
export interface AuditQuestion {
  readonly subjectType: string | undefined;
  readonly subjectId: string | undefined;
  readonly action: string | undefined;
  readonly actorUserId: string | undefined;
  /** Only those before this one. */
  readonly beforeId: string | undefined;
  readonly limit: number;
}

/** A deed as it was written down. */
export interface AuditRow {
  readonly id: string;
  readonly at: string;
  readonly actor_user_id: string;
  readonly actor_username: string | null;
  readonly action: string;
  readonly subject_type: string;
  readonly subject_id: string;
  readonly reason: string | null;
  readonly details: Record<string, unknown>;
}

/** Deeds, newest first: their ids grow with time. */
export async function readAudit(sql: Sql, question: AuditQuestion): Promise<AuditRow[]> {
  const { subjectType, subjectId, action, actorUserId, beforeId, limit } = question;
  return sql.composed({
    text: `select e.id, e.at, e.actor_user_id, u.username as actor_username, e.action, e.subject_type, e.subject_id,
       e.reason, e.details
       from audit_entry e left join app_user u on u.id = e.actor_user_id
      where ($1::text is null or e.subject_type = $1) and ($2::text is null or e.subject_id = $2)
        and ($3::text is null or e.action = $3) and ($4::text is null or e.actor_user_id = $4)
        and ($5::text is null or e.id < $5)
      order by e.id desc limit $6`,
    params: [
      subjectType ?? null,
      subjectId ?? null,
      action ?? null,
      actorUserId ?? null,
      beforeId ?? null,
      limit,
    ],
  });
}
