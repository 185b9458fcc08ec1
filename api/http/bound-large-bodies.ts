import type { FastifyInstance, FastifyRequest } from 'fastify';
import { rawInputTypes } from './accept-bodies.js';
import { Refusal } from './refusal.js';

/** Longer JSON bodies are large: more rows than a person sends by hand. */
const LARGE_BYTES = 256 * 1024;
/** Each may take 8 MB, and a slow sender's for minutes. */
export const LARGE_BODIES_AT_ONCE = 16;

/**
 * A JSON body is held whole before anybody knows who sent it, so only so many large ones are taken in at once; nobody
 * could fill the process's memory otherwise than with sockets. Raw inputs are not among them: they are read after the
 * session is known, and as they arrive.
 */
export function boundLargeBodies(fastify: FastifyInstance): void {
  let held = 0;
  fastify.addHook('onRequest', async (request, reply) => {
    if (!isLarge(request)) return;
    if (held >= LARGE_BODIES_AT_ONCE)
      throw new Refusal(
        503,
        'Too many large bodies arrive at the moment; try again in a second, or send the rows as text/csv',
        { 'retry-after': '1' },
      );
    held += 1;
    reply.raw.once('close', () => (held -= 1));
  });
}

/** A body that does not say how long it is may be as long as any. */
function isLarge({ headers }: FastifyRequest): boolean {
  const type = headers['content-type'] ?? '';
  if (rawInputTypes.some((raw) => type.startsWith(raw))) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > LARGE_BYTES;
}
