import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Database } from '../../db/database.js';
import {
  readActiveSamples,
  readNodeLook,
  readNodeUsage,
  readRunningAverages,
  readSamples,
} from '../../db/queries/usage.js';
import { explainNodeFigures } from '../../domain/usage/node-figures.js';
import { Access } from '../auth/access.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { Refusal } from '../http/refusal.js';
import { readCursor, writeCursor } from '../instances/cursor.js';
import { DATABASE } from '../records/tokens.js';
import {
  ActiveSamplesFilter,
  ActiveSamplesList,
  InstanceMetricsList,
  MetricsFilter,
  NodeUsageList,
  SamplesFilter,
  UsageSamples,
} from './metrics.dto.js';

/** What instances and nodes use: CPU as a rate in millicores, memory as working set in bytes. */
@ApiTags('metrics')
@Controller('api/metrics')
export class MetricsController {
  readonly #database: Database;

  constructor(@Inject(DATABASE) database: Database) {
    this.#database = database;
  }

  @Get('instances')
  @Access('admin')
  @ApiOperation({ summary: 'Running averages of instances that have not ended, that have, or both' })
  @ApiOkResponse({ standardSchema: InstanceMetricsList })
  @ApiRefusals(401, 403, 422, 503)
  async averages(
    @Query({ schema: MetricsFilter }) { active, persisted, model_id, limit }: MetricsFilter,
  ): Promise<z.infer<typeof InstanceMetricsList>> {
    const model = model_id === undefined ? {} : { modelId: model_id };
    return {
      items: await readRunningAverages(this.#database, { ...model, active, ended: persisted, limit }),
    };
  }

  @Get('instances/samples')
  @Access('admin')
  @ApiOperation({
    summary: 'A slice of the raw samples of all instances that have not ended, a page of instances at a time',
  })
  @ApiOkResponse({ standardSchema: ActiveSamplesList })
  @ApiRefusals(401, 403, 422, 503)
  async activeSamples(
    @Query({ schema: ActiveSamplesFilter }) { model_id, seconds, limit, cursor }: ActiveSamplesFilter,
  ): Promise<z.infer<typeof ActiveSamplesList>> {
    const [at, id] = cursor === undefined ? [] : readCursor(cursor);
    const rows = await readActiveSamples(this.#database, {
      ...(model_id !== undefined && { modelId: model_id }),
      ...(cursor !== undefined && { after: [String(at), String(id)] as const }),
      seconds,
      limit: limit + 1,
    });
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(({ created_at: _, ...instance }) => instance),
      next_cursor:
        last && rows.length > page.length ? writeCursor([last.created_at, last.instance_id]) : null,
    };
  }

  @Get('instances/:id/samples')
  @Access('admin')
  @ApiOperation({ summary: 'The last raw samples of one instance' })
  @ApiOkResponse({ standardSchema: UsageSamples })
  @ApiRefusals(401, 403, 404, 422, 503)
  async samples(
    @Param('id', { schema: z.string() }) id: string,
    @Query({ schema: SamplesFilter }) { seconds, limit }: SamplesFilter,
  ): Promise<z.infer<typeof UsageSamples>> {
    const [instance] = await this.#database.rows<{ since: string }>(
      `select coalesce(u.last_sampled_at, i.created_at) - $2 * interval '1 second' as since
         from model_instance i left join instance_usage u on u.instance_id = i.id where i.id = $1`,
      [id, seconds],
    );
    if (!instance) throw new Refusal(404, `Instance [${id}] not found`);
    const samples = await readSamples(this.#database, id, { since: instance.since, limit });
    return { instance_id: id, samples };
  }

  @Get('nodes')
  @Access('admin')
  @ApiOperation({
    summary: 'What each node offers, what is requested of it and what is used, as of the last look',
  })
  @ApiOkResponse({ standardSchema: NodeUsageList })
  @ApiRefusals(401, 403, 503)
  async nodes(): Promise<z.infer<typeof NodeUsageList>> {
    const [items, look] = await Promise.all([readNodeUsage(this.#database), readNodeLook(this.#database)]);
    return { items, missing_because: explainNodeFigures(look) };
  }
}
