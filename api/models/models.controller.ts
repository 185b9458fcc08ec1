import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Model, ModelList } from '../../domain/model/model.wire.js';
import { Access } from '../auth/access.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { Refusal } from '../http/refusal.js';
import { ModelsService } from './models.service.js';

/** What can be run. */
@ApiTags('models')
@Controller('api/models')
export class ModelsController {
  readonly #models: ModelsService;

  constructor(models: ModelsService) {
    this.#models = models;
  }

  @Get()
  @Access('session')
  @ApiOperation({ summary: 'All models, enabled or not, by id' })
  @ApiOkResponse({ standardSchema: ModelList })
  @ApiRefusals(401, 503)
  async list(): Promise<z.infer<typeof ModelList>> {
    return { items: await this.#models.list() };
  }

  @Get(':id')
  @Access('session')
  @ApiOperation({ summary: 'One model' })
  @ApiOkResponse({ standardSchema: Model })
  @ApiRefusals(401, 404, 503)
  async get(@Param('id', { schema: z.string() }) id: string): Promise<Model> {
    const model = await this.#models.find(id);
    if (!model) throw new Refusal(404, `Model with id [${id}] not found`);
    return model;
  }
}
