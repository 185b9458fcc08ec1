import { Migration } from '@mikro-orm/migrations';

/** The order in which an operator reads instances whose pods are in one phase. */
export class Migration0007PodPhases extends Migration {
  override up(): void {
    this.addSql(
      `create index model_instance_pod_phase on model_instance (((pod -> 'state') ->> 'phase'), last_updated desc, id desc)`,
    );
  }

  override down(): void {
    this.addSql(`drop index model_instance_pod_phase`);
  }
}
