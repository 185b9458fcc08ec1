import { Migration } from '@mikro-orm/migrations';

/** Requests that failed or were cancelled are few among all: a list of them must not read the rest to find them. */
export class Migration0011FailedRequests extends Migration {
  override up(): void {
    this.addSql(
      `create index work_request_failed on work_request (id) where state in ('FAILED', 'CANCELLED')`,
    );
  }

  override down(): void {
    this.addSql(`drop index work_request_failed`);
  }
}
