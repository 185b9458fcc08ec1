import { applyDecorators } from '@nestjs/common';
import { ApiResponse, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';

/** Every refusal: one sentence, or the list of fields at fault. */
const Detail = z
  .object({ detail: z.string() })
  .meta({ id: 'Detail', description: 'What was refused, and what to do next' });

const FieldFaults = z
  .object({
    detail: z.array(
      z.object({
        type: z.string(),
        loc: z.array(z.union([z.string(), z.number()])),
        msg: z.string(),
        input: z.unknown().optional(),
      }),
    ),
  })
  .meta({ id: 'FieldFaults', description: 'Each field at fault' });

const meanings: Readonly<Record<number, string>> = {
  400: 'The request can not be accepted; the sentence says why',
  401: 'No valid session',
  403: 'The session lacks the permission',
  404: 'Not there, or not visible to the caller',
  409: 'Not possible in the present state',
  413: 'Too many bytes',
  415: 'The media type is not taken here',
  422: 'A field is wrong; the answer names it',
  503: 'A part the hub needs is away just now; try again',
};

/** Documents how a route may refuse. */
export function ApiRefusals(...statuses: readonly number[]): MethodDecorator {
  return applyDecorators(
    ...statuses.map((status) =>
      ApiResponse({
        status: status as 400,
        description: meanings[status] ?? '',
        standardSchema: status === 422 ? FieldFaults : Detail,
      }),
    ),
  );
}

/** Adds how every route refuses a path or a body before it is reached; a route says only what is its own. */
export function addCommonRefusals({ paths }: OpenAPIObject): void {
  for (const path of Object.values(paths))
    for (const operation of [path.get, path.post, path.put, path.patch, path.delete]) {
      if (!operation) continue;
      const hasPath = operation.parameters?.some((parameter) => 'in' in parameter && parameter.in === 'path');
      const statuses = operation.requestBody ? [413, 415, 422] : hasPath ? [422] : [];
      for (const status of statuses) operation.responses[status] ??= documented(status);
    }
}

function documented(status: number) {
  const $ref = `#/components/schemas/${status === 422 ? 'FieldFaults' : 'Detail'}`;
  return { description: meanings[status] ?? '', content: { 'application/json': { schema: { $ref } } } };
}
