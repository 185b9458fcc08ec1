import { Controller, Get, Headers, HttpCode, Param, Post, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { isFinished } from '../../domain/work-request/work-request.js';
import {
  WorkflowProgress,
  WorkRequest,
  WorkRequestList,
} from '../../domain/work-request/work-request.wire.js';
import type { ResultFormat } from '../../domain/work-request/write-results.js';
import { Access, Caller } from '../auth/access.js';
import { isAdmin, type SignedIn } from '../auth/signed-in.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { Refusal } from '../http/refusal.js';
import { RequestEventsService } from './request-events.service.js';
import { RequestProgressService } from './request-progress.service.js';
import { acceptedFormat, fileName, mediaTypes } from './result-media.js';
import { ResultsService } from './results.service.js';
import { textStream } from '../http/text-stream.js';
import type { WholeWorkRequestRow, WorkRequestRow } from './work-request-row.js';
import { WorkRequestFilter, WorkRequestQuery } from './work-requests.dto.js';
import { WorkRequestsService } from './work-requests.service.js';

const Id = { schema: z.string().describe('id of the request') };

/** What became of requests. */
@ApiTags('work requests')
@Controller('api/work-requests')
export class WorkRequestsController {
  readonly #requests: WorkRequestsService;
  readonly #results: ResultsService;
  readonly #events: RequestEventsService;
  readonly #progress: RequestProgressService;

  constructor(
    requests: WorkRequestsService,
    results: ResultsService,
    events: RequestEventsService,
    progress: RequestProgressService,
  ) {
    this.#requests = requests;
    this.#results = results;
    this.#events = events;
    this.#progress = progress;
  }

  @Get()
  @Access('session')
  @ApiOperation({ summary: 'Requests, newest first, a page at a time' })
  @ApiOkResponse({ standardSchema: WorkRequestList })
  @ApiRefusals(401, 422, 503)
  list(
    @Query({ schema: WorkRequestFilter }) filter: WorkRequestFilter,
    @Caller() caller: SignedIn,
  ): Promise<z.infer<typeof WorkRequestList>> {
    return this.#requests.list(filter, caller);
  }

  @Get(':id')
  @Access('session')
  @ApiOperation({ summary: 'One request; with its result as JSON, or the result itself as a file' })
  @ApiOkResponse({ standardSchema: WorkRequest })
  @ApiRefusals(401, 404, 409, 422, 503)
  async get(
    @Param('id', Id) id: string,
    @Query({ schema: WorkRequestQuery }) query: WorkRequestQuery,
    @Headers('accept') accept: string | undefined,
    @Caller() caller: SignedIn,
  ): Promise<WorkRequest | StreamableFile> {
    const format = query.format ?? acceptedFormat(accept);
    if (format !== null) {
      const found = await this.#requests.find(id, caller, query.user_id);
      return this.#file(found, format, query.bom ?? false);
    }
    const { row, shown } = await this.#requests.show(id, caller, query.user_id);
    if (query.include_result !== true || row.state !== 'COMPLETED') return shown;
    const asCsv = !isAdmin(caller) || query.csv_result === true;
    return new StreamableFile(textStream(this.#results.writeWithResult(row, shown, asCsv)), {
      type: mediaTypes.json,
    });
  }

  @Get(':id/input')
  @Access('session')
  @ApiOperation({ summary: 'The input as the hub read it, as CSV' })
  @ApiProduces('text/csv')
  @ApiOkResponse({ schema: { type: 'string' } })
  @ApiRefusals(401, 404, 503)
  async getInput(@Param('id', Id) id: string, @Caller() caller: SignedIn): Promise<StreamableFile> {
    const row = await this.#requests.find(id, caller);
    return download(row, 'input.csv', mediaTypes.csv, this.#results.writeInput(row));
  }

  @Get(':id/events')
  @Access('session')
  @ApiOperation({ summary: 'The progress of a request as server-sent events: a snapshot, then every change' })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({
    schema: { type: 'string' },
    description: 'data of `snapshot` is a WorkRequest, of others a RequestEvent',
  })
  @ApiRefusals(401, 404, 503)
  async getEvents(
    @Param('id', Id) id: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Caller() caller: SignedIn,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const { id: requestId } = await this.#requests.find(id, caller);
    const controller = new AbortController();
    reply.raw.once('close', () => controller.abort());
    const after = /^\d{1,9}$/.test(lastEventId ?? '') ? Number(lastEventId) : null;
    const read = () => this.#requests.find(id, caller);
    void reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    const texts = this.#events.stream(read, caller, requestId, after, controller);
    return new StreamableFile(textStream(texts, { chunked: false }), {
      type: 'text/event-stream; charset=utf-8',
    });
  }

  @Get(':id/workflow')
  @Access('session')
  @ApiOperation({ summary: 'What the request waits for and where it runs' })
  @ApiOkResponse({ standardSchema: WorkflowProgress })
  @ApiRefusals(401, 404, 503)
  async getWorkflow(@Param('id', Id) id: string, @Caller() caller: SignedIn): Promise<WorkflowProgress> {
    return this.#progress.read(await this.#requests.find(id, caller), caller);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Access('session')
  @ApiOperation({ summary: 'End a request that is not finished' })
  @ApiOkResponse({ standardSchema: WorkRequest })
  @ApiRefusals(401, 404, 409, 503)
  cancel(@Param('id', Id) id: string, @Caller() caller: SignedIn): Promise<WorkRequest> {
    return this.#requests.cancel(id, caller);
  }

  #file(row: WholeWorkRequestRow, format: ResultFormat, byteOrderMark: boolean): StreamableFile {
    if (!isFinished(row.state))
      throw new Refusal(409, `The request is ${row.state}: its result can be read when it has ended`);
    const texts = this.#results.writeTable(row, format, byteOrderMark);
    return download(row, `result.${format}`, mediaTypes[format], texts);
  }
}

function download(
  row: WorkRequestRow,
  what: string,
  type: string,
  texts: AsyncIterable<string>,
): StreamableFile {
  const name = fileName(row.model_id, row.id, what);
  return new StreamableFile(textStream(texts), { type, disposition: `attachment; filename="${name}"` });
}
