import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { RequestEvent, SubmitWorkRequest } from '../../domain/work-request/work-request.wire.js';
import { CheckInput } from '../work-requests/read-submission.js';
import { rawInputTypes } from './accept-bodies.js';

type Schema = Record<string, unknown>;
type Content = Record<string, { schema: Schema }>;

const text: Schema = { type: 'string' };

/**
 * Adds what decorators can't say: one route that takes JSON or a raw body, one that answers with a file when asked for
 * it. And lets answers grow: a client must not refuse a field it does not know.
 */
export function describeBodies(document: OpenAPIObject): OpenAPIObject {
  const schemas = (document.components!.schemas ??= {}) as Record<string, unknown>;
  describeInput(document, schemas, '/api/work-requests', 'SubmitWorkRequest', SubmitWorkRequest);
  describeInput(document, schemas, '/api/work-requests/check', 'CheckInput', CheckInput);
  // The data of each message of an event stream.
  schemas.RequestEvent = described(RequestEvent, 'RequestEvent', 'output');
  const answer = document.paths['/api/work-requests/{id}']?.get?.responses['200'] as unknown as {
    content: Content;
  };
  for (const type of ['text/csv', 'text/tab-separated-values', 'application/x-ndjson'])
    answer.content[type] = { schema: text };
  return openAnswers(document) as OpenAPIObject;
}

function describeInput(
  document: OpenAPIObject,
  schemas: Record<string, unknown>,
  path: string,
  name: string,
  schema: z.ZodType,
): void {
  schemas[name] = described(schema, name, 'input');
  const content: Content = { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
  for (const type of rawInputTypes) content[type] = { schema: text };
  document.paths[path]!.post!.requestBody = { required: true, content } as never;
}

/** A schema with an id of its own is given as a definition of that name. */
function described(schema: z.ZodType, name: string, io: 'input' | 'output'): Schema {
  const { $defs } = z.toJSONSchema(schema, { io }) as { $defs: Record<string, Schema> };
  return $defs[name]!;
}

function openAnswers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(openAnswers);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) => key !== 'additionalProperties' || inner !== false,
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, openAnswers(inner)]));
}
