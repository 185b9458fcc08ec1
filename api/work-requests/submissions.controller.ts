import { Controller, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { InputVerdict, RawSubmitQuery, WorkRequest } from '../../domain/work-request/work-request.wire.js';
import { Access, Caller } from '../auth/access.js';
import type { SignedIn } from '../auth/signed-in.js';
import { ApiRefusals } from '../http/api-refusals.js';
import { readSubmission } from './read-submission.js';
import { SubmissionsService } from './submissions.service.js';

const LONGEST_USER_AGENT = 300;

/** Molecules in: as JSON or as a raw body. */
@ApiTags('work requests')
@Controller('api/work-requests')
export class SubmissionsController {
  readonly #submissions: SubmissionsService;

  constructor(submissions: SubmissionsService) {
    this.#submissions = submissions;
  }

  @Post()
  @HttpCode(200)
  @Access('session')
  @ApiOperation({
    summary: 'Submit molecules to a model, as JSON or as a raw body with its settings in the query',
  })
  @ApiOkResponse({ standardSchema: WorkRequest })
  @ApiRefusals(400, 401, 413, 415, 422, 503)
  submit(
    @Query({ schema: RawSubmitQuery }) query: RawSubmitQuery,
    @Caller() caller: SignedIn,
    @Req() request: FastifyRequest,
  ): Promise<WorkRequest> {
    const userAgent = request.headers['user-agent']?.slice(0, LONGEST_USER_AGENT) ?? null;
    return this.#submissions.submit(caller, readSubmission(request, query), userAgent);
  }

  @Post('check')
  @HttpCode(200)
  @Access('session')
  @ApiOperation({ summary: 'What the hub would make of an input, without submitting it' })
  @ApiOkResponse({ standardSchema: InputVerdict })
  @ApiRefusals(400, 401, 413, 415, 422, 503)
  check(
    @Query({ schema: RawSubmitQuery }) query: RawSubmitQuery,
    @Caller() caller: SignedIn,
    @Req() request: FastifyRequest,
  ): Promise<InputVerdict> {
    return this.#submissions.check(caller, readSubmission(request, query));
  }
}
