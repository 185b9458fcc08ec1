import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
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
