import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { entriesText, headerModeOf } from '../../domain/work-request/read-entries.js';
import { SubmitWorkRequest, type RawSubmitQuery } from '../../domain/work-request/work-request.wire.js';
import type { HeaderMode } from '../../domain/work-request/input-verdict.js';
import { Refusal } from '../http/refusal.js';
import { validated } from '../http/validate-input.js';
import { readRawBody } from './read-raw-body.js';

/** An input as it was sent, whichever way. */
export interface Submission {
  readonly modelId: string | null;
  readonly text: AsyncIterable<string> | Iterable<string>;
  /** Media type of a raw body. */
  readonly hint: string | null;
  readonly header: HeaderMode;
  readonly column: string | null;
  readonly cacheOptIn: boolean;
  /** Where the caller said these things, to name the field at fault. */
  readonly places: { readonly modelId: string[]; readonly column: string[] };
}

/** A check needs no model. */
export const CheckInput = SubmitWorkRequest.partial({ model_id: true }).meta({ id: 'CheckInput' });

export const EMPTY_INPUT = 'Invalid request body - Empty molecules payload';

/** @throws Refusal 422 that names the field, 400 for an empty list */
export function readSubmission({ body, headers }: FastifyRequest, query: RawSubmitQuery): Submission {
  return body instanceof Readable ? readRaw(body, headers['content-type'] ?? null, query) : readJson(body);
}

function readRaw(body: Readable, mediaType: string | null, query: RawSubmitQuery): Submission {
  return {
    modelId: query.model_id ?? null,
    text: readRawBody(body),
    hint: mediaType,
    header: query.header,
    column: query.column ?? null,
    cacheOptIn: query.cache_opt_in ?? false,
    places: { modelId: ['query', 'model_id'], column: ['query', 'column'] },
  };
}

function readJson(body: unknown): Submission {
  refuseOddEntries(body);
  const { model_id: modelId, request_payload: payload } = validated(CheckInput, body, 'body');
  return {
    modelId: modelId ?? null,
    text: entriesText(payload.entries),
    hint: null,
    header: headerModeOf(payload.has_header),
    column: payload.column ?? null,
    cacheOptIn: payload.cache_opt_in,
    places: { modelId: ['body', 'model_id'], column: ['body', 'request_payload', 'column'] },
  };
}

/** Named here because a schema would list each of four million numbers, and calls an empty list 422. */
function refuseOddEntries(body: unknown): void {
  const entries = (body as { request_payload?: { entries?: unknown } } | null)?.request_payload?.entries;
  if (!Array.isArray(entries)) return;
  if (entries.length === 0) throw new Refusal(400, EMPTY_INPUT);
  const odd = entries.findIndex((entry) => typeof entry !== 'string');
  if (odd === -1) return;
  const loc = ['body', 'request_payload', 'entries', odd];
  throw new Refusal(422, [{ type: 'string_type', loc, msg: 'Input should be a valid string' }]);
}
