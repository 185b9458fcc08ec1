import { Migration } from '@mikro-orm/migrations';

/** Why figures of nodes are missing, as the last look found it: the rows of nodes can't say it where there is none. */
export class Migration0010NodeLook extends Migration {
  override up(): void {
    this.addSql(
      `create table node_look (name text not null primary key, looked_at timestamptz not null, gap text null)
         with (fillfactor = 70)`,
    );
  }

  override down(): void {
    this.addSql(`drop table node_look`);
  }
}
