import { Migration } from '@mikro-orm/migrations';

/** What a host shows and reports of instances, and who asked for one to be stopped. */
export class Migration0003Instances extends Migration {
  override up(): void {
    this.addSql(
      `alter table model_instance add column pod jsonb, add column stop_requested_by text,
         add column placed_at timestamptz, add column waiting_since timestamptz, add column terminating_at timestamptz`,
    );
    this.addSql(`alter table instance_event add column event_id text`);
    // A host tells its events again after every gap: each is one row all the same.
    this.addSql(
      `create unique index instance_event_host on instance_event (expires_on, instance_id, event_id)
         where event_id is not null`,
    );
  }

  override down(): void {
    this.addSql(`drop index instance_event_host`);
    this.addSql(`alter table instance_event drop column event_id`);
    this.addSql(
      `alter table model_instance drop column pod, drop column stop_requested_by, drop column placed_at, drop column waiting_since,
         drop column terminating_at`,
    );
  }
}
