import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { InstanceHistory, InstanceList } from '../../domain/instance/instance.wire.js';
import { Access, Caller } from '../auth/access.js';
import type { SignedIn } from '../auth/signed-in.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { InstanceActionsService } from './instance-actions.service.js';
import { InstanceHistoryService } from './instance-history.service.js';
import { ActionResult, HistoryFilter, InstanceAction, InstanceFilter } from './instances.dto.js';
import { InstancesService } from './instances.service.js';

/** The running servers of models, and those that ended. */
@ApiTags('instances')
@Controller('api/instances')
export class InstancesController {
  readonly #instances: InstancesService;
  readonly #history: InstanceHistoryService;
  readonly #actions: InstanceActionsService;

  constructor(instances: InstancesService, history: InstanceHistoryService, actions: InstanceActionsService) {
    this.#instances = instances;
    this.#history = history;
    this.#actions = actions;
  }

  @Get()
  @Access('admin')
  @ApiOperation({ summary: 'Instances, those that changed last first, a page at a time' })
  @ApiOkResponse({ standardSchema: InstanceList })
  @ApiRefusals(401, 403, 422, 503)
  list(@Query({ schema: InstanceFilter }) filter: InstanceFilter): Promise<InstanceList> {
    return this.#instances.list(filter);
  }

  @Get('history')
  @Access('admin')
  @ApiOperation({
    summary: 'What happened to an instance, or to all that worked for a request, newest first',
  })
  @ApiOkResponse({ standardSchema: InstanceHistory })
  @ApiRefusals(400, 401, 403, 422, 503)
  history(@Query({ schema: HistoryFilter }) filter: HistoryFilter): Promise<z.infer<typeof InstanceHistory>> {
    return this.#history.read(filter);
  }

  @Post('actions')
  @HttpCode(200)
  @Access('admin')
  @ApiOperation({ summary: 'Stop an instance' })
  @ApiOkResponse({ standardSchema: ActionResult })
  @ApiRefusals(400, 401, 403, 404, 422, 503)
  async act(
    @Body({ schema: InstanceAction }) body: InstanceAction,
    @Caller() caller: SignedIn,
  ): Promise<z.infer<typeof ActionResult>> {
    await this.#actions.act(body, caller);
    return { result: 'Instance termination requested' };
  }
}
