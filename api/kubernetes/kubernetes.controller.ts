import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Database } from '../../db/database.js';
import { PodList, toCamelCase } from '../../domain/instance/camel-case.js';
import type { Pod } from '../../domain/instance/pod.wire.js';
import { Access } from '../auth/access.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { DATABASE } from '../records/tokens.js';

/** Set when a pod is made; a warm one has worked for others since. */
const REQUEST_ANNOTATION = 'ersilia.requestid';

/** Pods of instances as the leader's watch wrote them last, so nobody asks the cluster. */
@ApiTags('instances')
@Controller('api/k8s')
export class KubernetesController {
  readonly #database: Database;

  constructor(@Inject(DATABASE) database: Database) {
    this.#database = database;
  }

  @Get('instances')
  @Access('admin')
  @ApiOperation({ summary: 'The pods of all instances that have not ended, as last seen, in camelCase' })
  @ApiOkResponse({ standardSchema: PodList })
  @ApiRefusals(401, 403, 503)
  listAll(): Promise<z.infer<typeof PodList>> {
    return this.#read(null);
  }

  @Get(':model_id/instances')
  @Access('admin')
  @ApiOperation({
    summary: 'The pods of the instances of one model that have not ended, as last seen, in camelCase',
  })
  @ApiOkResponse({ standardSchema: PodList })
  @ApiRefusals(401, 403, 503)
  listOfModel(@Param('model_id', { schema: z.string() }) modelId: string): Promise<z.infer<typeof PodList>> {
    return this.#read(modelId);
  }

  async #read(modelId: string | null): Promise<z.infer<typeof PodList>> {
    const rows = await this.#database.rows<PodRow>(
      `select i.pod, (select l.request_id from instance_lease l where l.instance_id = i.id
           order by l.granted_at desc limit 1) as request_id
         from model_instance i
        where i.state <> 'TERMINATED' and i.pod is not null and ($1::text is null or i.model_id = $1)
        order by i.created_at desc, i.id desc`,
      [modelId],
    );
    return { items: rows.map((row) => toCamelCase(withRequest(row))) };
  }
}

interface PodRow {
  readonly pod: Pod;
  readonly request_id: number | null;
}

/** Clients read there which request the pod works for, or worked for last. */
function withRequest({ pod, request_id }: PodRow): Pod {
  if (request_id === null) return pod;
  return { ...pod, annotations: { ...pod.annotations, [REQUEST_ANNOTATION]: String(request_id) } };
}
