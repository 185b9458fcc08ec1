import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Database } from '../../db/database.js';
import { PodList, toCamelCase } from '../../domain/instance/camel-case.js';
import type { Pod } from '../../domain/instance/pod.wire.js';
import { Access } from '../auth/access.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { DATABASE } from '../records/tokens.js';

/** Pods of instances as their host shows them now: what the leader's watch wrote last, so nobody asks the cluster. */
@ApiTags('instances')
@Controller('api/k8s')
export class KubernetesController {
  readonly #database: Database;

  constructor(@Inject(DATABASE) database: Database) {
    this.#database = database;
  }

  @Get('instances')
  @Access('admin')
  @ApiOperation({ summary: 'The pods of all instances that have not ended, in camelCase' })
  @ApiOkResponse({ standardSchema: PodList })
  @ApiRefusals(401, 403, 503)
  listAll(): Promise<z.infer<typeof PodList>> {
    return this.#read(null);
  }

  @Get(':model_id/instances')
  @Access('admin')
  @ApiOperation({ summary: 'The pods of the instances of one model that have not ended, in camelCase' })
  @ApiOkResponse({ standardSchema: PodList })
  @ApiRefusals(401, 403, 503)
  listOfModel(@Param('model_id', { schema: z.string() }) modelId: string): Promise<z.infer<typeof PodList>> {
    return this.#read(modelId);
  }

  async #read(modelId: string | null): Promise<z.infer<typeof PodList>> {
    const rows = await this.#database.rows<{ pod: Pod }>(
      `select pod from model_instance
        where state <> 'TERMINATED' and pod is not null and ($1::text is null or model_id = $1)
        order by created_at desc, id desc`,
      [modelId],
    );
    return { items: rows.map(({ pod }) => toCamelCase(pod)) };
  }
}
