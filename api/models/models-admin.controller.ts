import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ClearedCache, CreateModel, ScalingInfo, UpdateModel } from '../../domain/model/model-input.wire.js';
import { Model } from '../../domain/model/model.wire.js';
import { Access, Caller } from '../auth/access.js';
import type { SignedIn } from '../auth/signed-in.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { wrongField } from '../http/refusal.js';
import { ModelsAdminService } from './models-admin.service.js';

const Id = { schema: z.string().describe('id of the model') };

/** Models as admins make and change them. */
@ApiTags('models')
@Controller('api/models')
export class ModelsAdminController {
  readonly #models: ModelsAdminService;

  constructor(models: ModelsAdminService) {
    this.#models = models;
  }

  @Post()
  @HttpCode(200)
  @Access('admin')
  @ApiOperation({ summary: 'Add a model' })
  @ApiOkResponse({ standardSchema: Model })
  @ApiRefusals(401, 403, 409, 422, 503)
  create(@Body({ schema: CreateModel }) body: CreateModel, @Caller() caller: SignedIn): Promise<Model> {
    return this.#models.create(body, caller);
  }

  @Put(':id')
  @Access('admin')
  @ApiOperation({
    summary: 'Change a model: the whole of it is given; running instances go on as they were made',
  })
  @ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'revision in quotes; the change is refused when the model is no longer of that revision',
  })
  @ApiOkResponse({ standardSchema: Model })
  @ApiRefusals(401, 403, 404, 409, 422, 503)
  update(
    @Param('id', Id) id: string,
    @Body({ schema: UpdateModel }) body: UpdateModel,
    @Headers('if-match') ifMatch: string | undefined,
    @Caller() caller: SignedIn,
  ): Promise<Model> {
    return this.#models.update(id, body, matchedRevision(ifMatch) ?? body.revision ?? null, caller);
  }

  @Delete(':id/cache')
  @Access('admin')
  @ApiOperation({ summary: 'Forget the results that are remembered of a model' })
  @ApiOkResponse({ standardSchema: ClearedCache })
  @ApiRefusals(401, 403, 404, 503)
  async clearCache(
    @Param('id', Id) id: string,
    @Caller() caller: SignedIn,
  ): Promise<z.infer<typeof ClearedCache>> {
    await this.#models.clearCache(id, caller);
    return { result: 'SUCCESS' };
  }

  @Get(':id/scaling-info')
  @Access('admin')
  @ApiOperation({ summary: 'How many instances of a model there are, and may be' })
  @ApiOkResponse({ standardSchema: ScalingInfo })
  @ApiRefusals(401, 403, 404, 503)
  scalingInfo(@Param('id', Id) id: string): Promise<ScalingInfo> {
    return this.#models.scalingInfo(id);
  }
}

/** The revision that `If-Match` names; null when any will do. @throws Refusal 422 when it names something else */
function matchedRevision(header: string | undefined): number | null {
  if (header === undefined || header.trim() === '*') return null;
  const match = /^\s*(?:W\/)?"?(\d{1,9})"?\s*$/.exec(header);
  if (!match) throw wrongField(['header', 'if-match'], 'Must be a revision of the model in quotes, e.g. "3"');
  return Number(match[1]);
}
