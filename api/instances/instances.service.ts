import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '../../db/database.js';
import { readRunningAverages } from '../../db/queries/usage.js';
import type { InstanceList } from '../../domain/instance/instance.wire.js';
import { DATABASE } from '../records/tokens.js';
import { writeCursor } from './cursor.js';
import { readContext } from './instance-context.js';
import type { InstanceFilter } from './instances.dto.js';
import { instancesStatement, orderOf, type InstanceRow } from './instances-statement.js';
import { toInstance } from './to-instance.js';

/** Reads instances, running and ended, from rows alone: any api process can tell of any instance. */
@Injectable()
export class InstancesService {
  readonly #database: Database;

  constructor(@Inject(DATABASE) database: Database) {
    this.#database = database;
  }

  /** One page, what changed last first; asked for by their beginning, those that began last. */
  async list(filter: InstanceFilter): Promise<InstanceList> {
    const rows = await this.#database.composed<InstanceRow>(instancesStatement(filter));
    const page = rows.slice(0, filter.limit);
    const instanceIds = page.map(({ id }) => id);
    const [context, averages] = await Promise.all([
      readContext(this.#database, page, filter.work_request_id),
      readRunningAverages(this.#database, { instanceIds, active: true, ended: true, limit: page.length }),
    ]);
    const metrics = new Map(averages.map((found) => [found.instance_id, found]));
    const last = page.at(-1);
    return {
      items: page.map((row) => toInstance(row, context, metrics.get(row.id) ?? null)),
      next_cursor: last && rows.length > page.length ? writeCursor([last[orderOf(filter)], last.id]) : null,
    };
  }
}
