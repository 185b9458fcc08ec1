import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { InstanceHistory, InstanceList, InstanceLogLines } from '../../domain/instance/instance.wire.js';
import { Access, Caller } from '../auth/access.js';
import type { SignedIn } from '../auth/signed-in.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { textStream } from '../http/text-stream.js';
import { FollowedLogsService } from './followed-logs.service.js';
import { InstanceActionsService } from './instance-actions.service.js';
import { InstanceHistoryService } from './instance-history.service.js';
import { InstanceLogsService } from './instance-logs.service.js';
import {
  ActionResult,
  HistoryFilter,
  InstanceAction,
  InstanceFilter,
  InstanceLogFilter,
  LogFilter,
} from './instances.dto.js';
import { InstancesService } from './instances.service.js';
import { answerLog, PLAIN_TEXT, saveAs } from './log-answer.js';

/** The running servers of models, and those that ended. */
@ApiTags('instances')
@Controller('api/instances')
export class InstancesController {
  readonly #instances: InstancesService;
  readonly #history: InstanceHistoryService;
  readonly #logs: InstanceLogsService;
  readonly #followed: FollowedLogsService;
  readonly #actions: InstanceActionsService;

  constructor(
    instances: InstancesService,
    history: InstanceHistoryService,
    logs: InstanceLogsService,
    followed: FollowedLogsService,
    actions: InstanceActionsService,
  ) {
    this.#instances = instances;
    this.#history = history;
    this.#logs = logs;
    this.#followed = followed;
    this.#actions = actions;
  }

  @Get()
  @Access('admin')
  @ApiOperation({
    summary:
      'Instances, those that changed last first, a page at a time; with start_from or start_to those that began last',
  })
  @ApiOkResponse({ standardSchema: InstanceList })
  @ApiRefusals(401, 403, 422, 503)
  list(@Query({ schema: InstanceFilter }) filter: InstanceFilter): Promise<InstanceList> {
    return this.#instances.list(filter);
  }

  @Get('history')
  @Access('admin')
  @ApiOperation({
    summary:
      'What happened to an instance, or to all that worked for a request but while they worked for others, newest first',
  })
  @ApiOkResponse({ standardSchema: InstanceHistory })
  @ApiRefusals(400, 401, 403, 422, 503)
  history(@Query({ schema: HistoryFilter }) filter: HistoryFilter): Promise<z.infer<typeof InstanceHistory>> {
    return this.#history.read(filter);
  }

  @Get('job-logs')
  @Access('admin')
  @ApiOperation({
    summary: 'The log of an instance, or of the work for a request, as lines, as plain text or as a file',
  })
  @ApiProduces('application/json', 'text/plain')
  @ApiOkResponse({ standardSchema: InstanceLogLines })
  @ApiRefusals(400, 401, 403, 404, 422, 503)
  async jobLogs(
    @Query({ schema: LogFilter }) { download, ...filter }: z.infer<typeof LogFilter>,
    @Headers('accept') accept: string | undefined,
  ): Promise<z.infer<typeof InstanceLogLines> | StreamableFile> {
    return answerLog(await this.#logs.read(filter), { accept, download, of: filter });
  }

  @Get(':id/logs')
  @Access('admin')
  @ApiOperation({
    summary:
      'The log of an instance, as lines, as plain text or as a file; followed until the instance ends or the client goes, if asked for',
  })
  @ApiProduces('application/json', 'text/plain')
  @ApiOkResponse({ standardSchema: InstanceLogLines })
  @ApiRefusals(401, 403, 404, 422, 503)
  async instanceLogs(
    @Param('id', { schema: z.string() }) id: string,
    @Query({ schema: InstanceLogFilter }) { follow, download, ...filter }: InstanceLogFilter,
    @Headers('accept') accept: string | undefined,
    @Caller() caller: SignedIn,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof InstanceLogLines> | StreamableFile> {
    if (!follow) {
      const lines = await this.#logs.read({ ...filter, instance_id: id });
      return answerLog(lines, { accept, download, of: { instance_id: id } });
    }
    const controller = new AbortController();
    reply.raw.once('close', () => controller.abort());
    const lines = await this.#followed.follow(id, filter, caller, controller);
    void reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    const texts = textStream(withHeaders(lines, reply), { chunked: false });
    return new StreamableFile(texts, {
      type: PLAIN_TEXT,
      ...(download && { disposition: saveAs({ instance_id: id }) }),
    });
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

/** The client learns that it is connected before there is a first line. */
async function* withHeaders(lines: AsyncIterable<string>, reply: FastifyReply): AsyncGenerator<string> {
  reply.raw.flushHeaders();
  yield* lines;
}
