import { Migration } from '@mikro-orm/migrations';

/** Who did what with the hub and why, and the order in which an operator reads instances. */
export class Migration0005Administration extends Migration {
  override up(): void {
    this.addSql(`create table audit_entry (
      id text primary key default uuidv7()::text,
      at timestamptz not null default now(),
      actor_user_id text not null,
      action text not null,
      subject_type text not null,
      subject_id text not null,
      reason text null,
      details jsonb not null default '{}'::jsonb
    )`);
    this.addSql(`create index audit_entry_subject on audit_entry (subject_type, subject_id, id)`);
    this.addSql(`create index model_instance_updated on model_instance (last_updated desc, id desc)`);
    this.addSql(
      `create index model_instance_model_updated on model_instance (model_id, last_updated desc, id desc)`,
    );
  }

  override down(): void {
    this.addSql(`drop index model_instance_model_updated`);
    this.addSql(`drop index model_instance_updated`);
    this.addSql(`drop table audit_entry`);
  }
}
