import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MAX_JSON_BODY_BYTES } from '../../domain/work-request/limits.js';
import { isDatabaseAway } from './is-database-away.js';
import type { KnownRoutes } from './known-routes.js';
import { Refusal, tooLarge, wrongField } from './refusal.js';

/** How long a refused client may go on sending. */
const DISCARD_MS = 5_000;

/** The one way from an error to an answer: always `{"detail": …}`, never a stack trace. */
@Catch()
export class ErrorsFilter implements ExceptionFilter {
  readonly #log = new Logger('http');
  readonly #routes: KnownRoutes;

  constructor(routes: KnownRoutes) {
    this.#routes = routes;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const refusal = this.#toRefusal(error, request);
    if (reply.sent || reply.raw.headersSent) {
      // Too late for a status: the client must see that the answer is not whole.
      reply.raw.destroy();
      return;
    }
    discardRest(request.raw);
    // Closing at once would cut off clients that are still sending before they have read the answer.
    reply.removeHeader('connection');
    void reply
      .status(refusal.getStatus())
      .headers({ ...refusal.headers })
      .type('application/json; charset=utf-8')
      .send(refusal.getResponse());
  }

  #toRefusal(error: unknown, request: FastifyRequest): Refusal {
    if (error instanceof Refusal) return error;
    if (error instanceof HttpException) return this.#fromNest(error, request);
    const fromFastify = refusalOfFastify(error);
    if (fromFastify) return fromFastify;
    if (isDatabaseAway(error)) {
      this.#log.warn(`${request.method} ${pathOf(request)}: the database is away: ${String(error)}`);
      return new Refusal(503, 'The database is not reachable just now; try again in a moment', {
        'retry-after': '2',
      });
    }
    const reference = randomUUID();
    this.#log.error(`${reference} ${request.method} ${pathOf(request)}: ${describe(error)}`);
    return new Refusal(500, `Internal error, reference ${reference}`);
  }

  #fromNest(error: HttpException, request: FastifyRequest): Refusal {
    const status = error.getStatus();
    if (status !== 404) return new Refusal(status, error.message);
    const methods = this.#routes.methodsOf(pathOf(request));
    if (methods.length === 0) return new Refusal(404, 'Not Found');
    return new Refusal(405, 'Method Not Allowed', { allow: methods.join(', ') });
  }
}

/** What a refused client goes on sending is thrown away, but not for ever. */
function discardRest(body: IncomingMessage): void {
  if (body.complete) return;
  body.resume();
  const cutOff = setTimeout(() => body.destroy(), DISCARD_MS);
  body.once('close', () => clearTimeout(cutOff));
}

const pathOf = (request: FastifyRequest) => request.url.split('?', 1)[0] ?? '';

const describe = (error: unknown) =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

const jsonFaults = ['FST_ERR_CTP_EMPTY_JSON_BODY', 'FST_ERR_CTP_INVALID_JSON_BODY'];

interface FastifyFault {
  readonly code: string;
  readonly statusCode: number;
  readonly name: string;
  readonly message: string;
}

/** What Fastify and its JSON reader refuse before a route is reached. */
function refusalOfFastify(error: unknown): Refusal | null {
  const { code = '', statusCode = 0 } = Object(error) as Partial<FastifyFault>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge('The body', MAX_JSON_BODY_BYTES);
  if (statusCode < 400 || statusCode >= 500) return null;
  const { name, message } = error as FastifyFault;
  const isBadJson = jsonFaults.includes(code) || name === 'SyntaxError';
  return isBadJson
    ? wrongField(['body'], `The body is not valid JSON: ${message}`, 'json_invalid')
    : new Refusal(statusCode, message);
}
