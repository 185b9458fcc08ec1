import { Migration } from '@mikro-orm/migrations';

/** What instances, nodes and leases use: raw samples, figures over the whole life, and peaks of each lease. */
export class Migration0004Usage extends Migration {
  override up(): void {
    for (const statement of [...samples, ...figures, ...leases]) this.addSql(statement);
  }

  override down(): void {
    this.addSql(`drop index instance_lease_released`);
    this.addSql(`alter table instance_lease drop column peak_cpu_millicores, drop column usage_samples`);
    for (const table of ['node_usage', 'instance_usage', 'usage_sample'])
      this.addSql(`drop table ${table} cascade`);
  }
}

const samples = [
  `create table usage_sample (
    expires_on date not null,
    instance_id text not null,
    sampled_at timestamptz not null,
    cpu_millicores integer not null,
    memory_bytes bigint not null,
    primary key (expires_on, instance_id, sampled_at)
  ) partition by range (expires_on)`,
  `create table usage_sample_infinity partition of usage_sample for values from ('infinity') to (maxvalue)`,
];

const figures = [
  // One row per instance, rewritten every 15 s: room on its page lets that happen without touching the index.
  `create table instance_usage (
    instance_id text primary key,
    model_id text not null,
    namespace text not null,
    last_sampled_at timestamptz not null,
    cpu_count integer not null,
    cpu_total bigint not null,
    cpu_min integer not null,
    cpu_max integer not null,
    memory_count integer not null,
    memory_total bigint not null,
    memory_min bigint not null,
    memory_max bigint not null
  ) with (fillfactor = 70)`,
  `create index instance_usage_model on instance_usage (model_id)`,
  `create table node_usage (
    node text primary key,
    allocatable_cpu_millicores integer not null,
    allocatable_memory_bytes bigint not null,
    requested_cpu_millicores integer not null,
    requested_memory_bytes bigint not null,
    used_cpu_millicores integer null,
    used_memory_bytes bigint null,
    sampled_at timestamptz not null
  ) with (fillfactor = 70)`,
];

const leases = [
  `alter table instance_lease add column peak_cpu_millicores integer null,
     add column usage_samples integer not null default 0`,
  // A pass looks at what was given back since the last one, whichever instance it was.
  `create index instance_lease_released on instance_lease (released_at)`,
];
