import { Body, Controller, Get, Headers, HttpCode, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { InstanceHistory, InstanceList, InstanceLogLines } from '../../domain/instance/instance.wire.js';
import { Access, Caller } from '../auth/access.js';
import type { SignedIn } from '../auth/signed-in.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { InstanceActionsService } from './instance-actions.service.js';
import { InstanceHistoryService } from './instance-history.service.js';
import { InstanceLogsService } from './instance-logs.service.js';
import { ActionResult, HistoryFilter, InstanceAction, InstanceFilter, LogFilter } from './instances.dto.js';
import { InstancesService } from './instances.service.js';

/** The running servers of models, and those that ended. */
@ApiTags('instances')
@Controller('api/instances')
export class InstancesController {
  readonly #instances: InstancesService;
  readonly #history: InstanceHistoryService;
  readonly #logs: InstanceLogsService;
  readonly #actions: InstanceActionsService;

  constructor(
    instances: InstancesService,
    history: InstanceHistoryService,
    logs: InstanceLogsService,
    actions: InstanceActionsService,
  ) {
    this.#instances = instances;
    this.#history = history;
    this.#logs = logs;
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

  @Get('job-logs')
  @Access('admin')
  @ApiOperation({
    summary: 'The log of an instance, or of the work for a request, as lines or as plain text',
  })
  @ApiProduces('application/json', 'text/plain')
  @ApiOkResponse({ standardSchema: InstanceLogLines })
  @ApiRefusals(400, 401, 403, 404, 422, 503)
  async jobLogs(
    @Query({ schema: LogFilter }) filter: LogFilter,
    @Headers('accept') accept: string | undefined,
  ): Promise<z.infer<typeof InstanceLogLines> | StreamableFile> {
    const logs = await this.#logs.read(filter);
    if (!/\btext\/plain\b/i.test(accept ?? '')) return { logs: [...logs] };
    const text = logs.map((line) => `${line}\n`).join('');
    return new StreamableFile(Buffer.from(text), { type: 'text/plain; charset=utf-8' });
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
