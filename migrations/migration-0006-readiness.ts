import { Migration } from '@mikro-orm/migrations';

/** Since when an instance that was ready misses its health checks, and since when it computes for its lease. */
export class Migration0006Readiness extends Migration {
  override up(): void {
    this.addSql(`alter table model_instance add column unready_since timestamptz`);
    this.addSql(`alter table instance_lease add column begun_at timestamptz`);
  }

  override down(): void {
    this.addSql(`alter table instance_lease drop column begun_at`);
    this.addSql(`alter table model_instance drop column unready_since`);
  }
}
