import { isUtf8 } from 'node:buffer';
import type { FastifyBodyParser, FastifyInstance, FastifyRequest } from 'fastify';
import { MAX_RAW_BODY_BYTES } from '../../domain/work-request/limits.js';
import { Refusal, tooLarge, wrongField } from './refusal.js';

/** Media types of a raw input; they arrive as a stream. */
export const rawInputTypes = [
  'text/csv',
  'text/tab-separated-values',
  'chemical/x-daylight-smiles',
  'text/plain',
] as const;

const takesRawInput = /^\/api\/work-requests(\/check)?\/?$/;

/** Lets raw inputs through as streams, and refuses at once what is too long or packed. */
export function acceptBodies(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', async (request) => {
    refusePacked(request);
    forgetTypeOfNothing(request);
  });
  for (const type of rawInputTypes) {
    fastify.addContentTypeParser(type, (request, payload, done) => {
      const path = request.url.split('?', 1)[0] ?? '';
      if (!takesRawInput.test(path))
        return done(new Refusal(415, `Unsupported Media Type: ${path} takes application/json`));
      const length = Number(request.headers['content-length'] ?? 0);
      if (length > MAX_RAW_BODY_BYTES) return done(tooLarge('The input', MAX_RAW_BODY_BYTES));
      done(null, payload);
    });
  }
}

/** Fastify's reader of JSON for UTF-8 alone: it would take every byte that is none for the same odd letter. */
export function jsonParser(fastify: FastifyInstance): FastifyBodyParser<Buffer> {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  return (request, body, done) => {
    if (isUtf8(body)) void parse(request, body.toString('utf8'), done);
    else done(wrongField(['body'], 'The body is no UTF-8 text; send it as UTF-8', 'encoding'));
  };
}

/** Many clients name a type with every call. A deletion has no body to be of it. */
function forgetTypeOfNothing({ method, headers }: FastifyRequest): void {
  const isEmpty = headers['transfer-encoding'] === undefined && !Number(headers['content-length'] ?? 0);
  if (method === 'DELETE' && isEmpty) delete headers['content-type'];
}

/** A packed body could be a bomb, so it is refused before a byte of it is read. */
function refusePacked(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  throw new Refusal(415, 'Content-Encoding is not supported: send the body as it is', {
    connection: 'close',
  });
}
