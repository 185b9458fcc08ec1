import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { IdentificationDetails, Model, ModelList } from '../../domain/model/model.wire.js';
import { Access } from '../auth/access.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { Refusal } from '../http/refusal.js';
import { ModelCatalogueService } from './model-catalogue.service.js';
import { ModelsService } from './models.service.js';

const PublishedId = { schema: z.string().max(100).describe('id of the model') };

/** What can be run. */
@ApiTags('models')
@Controller('api/models')
export class ModelsController {
  readonly #models: ModelsService;
  readonly #catalogue: ModelCatalogueService;

  constructor(models: ModelsService, catalogue: ModelCatalogueService) {
    this.#models = models;
    this.#catalogue = catalogue;
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

  @Get(':id/identification-details')
  @Access('session')
  @ApiOperation({
    summary: 'What is published of a model, here or not: from the catalogue, else the model hub',
  })
  @ApiOkResponse({ standardSchema: IdentificationDetails })
  @ApiRefusals(401, 404, 503)
  identify(@Param('id', PublishedId) id: string): Promise<z.infer<typeof IdentificationDetails>> {
    return this.#catalogue.find(id);
  }

  @Get(':id/ersilia-catalog-details')
  @Access('session')
  @ApiOperation({ summary: 'What the catalogue has published of a model' })
  @ApiOkResponse({ standardSchema: IdentificationDetails })
  @ApiRefusals(401, 404, 503)
  identifyInCatalogue(@Param('id', PublishedId) id: string): Promise<z.infer<typeof IdentificationDetails>> {
    return this.#catalogue.findInCatalogue(id);
  }

  @Get(':id/model-hub-details')
  @Access('session')
  @ApiOperation({ summary: 'What the model hub has published of a model' })
  @ApiOkResponse({ standardSchema: IdentificationDetails })
  @ApiRefusals(401, 404, 503)
  identifyInModelHub(@Param('id', PublishedId) id: string): Promise<z.infer<typeof IdentificationDetails>> {
    return this.#catalogue.findInModelHub(id);
  }
}
