import { Migration } from '@mikro-orm/migrations';

/** When an instance was given rows for the first time: what its requests were given to others before says nothing of it. */
export class Migration0009FirstCalls extends Migration {
  override up(): void {
    this.addSql(`alter table model_instance add column first_call_at timestamptz`);
  }

  override down(): void {
    this.addSql(`alter table model_instance drop column first_call_at`);
  }
}
