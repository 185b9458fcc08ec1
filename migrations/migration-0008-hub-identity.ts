import { Migration } from '@mikro-orm/migrations';

/** An id for the database, made once: by it the hub knows its instances where several hubs share one place. */
export class Migration0008HubIdentity extends Migration {
  override up(): void {
    this.addSql(`create table hub_identity (id text not null primary key)`);
    this.addSql(`insert into hub_identity (id) values (gen_random_uuid()::text)`);
  }

  override down(): void {
    this.addSql(`drop table hub_identity`);
  }
}
