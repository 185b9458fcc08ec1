import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { MAX_JSON_BODY_BYTES } from '../domain/work-request/limits.js';
import type { ApiSettings } from './api.config.js';
import { AppModule } from './app.module.js';
import { SESSION_COOKIE } from './auth/credentials.js';
import { acceptBodies, jsonParser } from './http/accept-bodies.js';
import { boundLargeBodies } from './http/bound-large-bodies.js';
import { createLogger } from './http/create-logger.js';
import { ErrorsFilter } from './http/errors.filter.js';
import { KnownRoutes } from './http/known-routes.js';
import { letGoOfIdle } from './http/let-go-of-idle.js';
import { serveOpenApi } from './http/open-api-document.js';
import { servePage } from './http/serve-page.js';
import { InputValidation } from './http/validate-input.js';
import type { ApiParts } from './records/api-parts.js';

/** A slow sender is cut off: headers within 15 s, a whole request within 5 minutes. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 300_000;

/** Puts the api together, ready to listen or to be asked directly. Nothing is connected by this. */
export async function createApp(settings: ApiSettings, parts: ApiParts): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: MAX_JSON_BODY_BYTES,
    trustProxy: settings.TRUST_PROXY,
    requestTimeout: REQUEST_MS,
    http: { headersTimeout: HEADERS_MS },
    routerOptions: { ignoreTrailingSlash: true },
  });
  const fastify = adapter.getInstance();
  const routes = new KnownRoutes();
  fastify.addHook('onRoute', ({ url, method }) => routes.add(url, method));
  acceptBodies(fastify);
  boundLargeBodies(fastify);
  letGoOfIdle(fastify);

  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(settings, parts), adapter, {
    logger: createLogger(settings.LOG_LEVEL),
    abortOnError: false,
  });
  app.useBodyParser('application/json', { bodyLimit: MAX_JSON_BODY_BYTES }, jsonParser(fastify));
  app.useGlobalFilters(new ErrorsFilter(routes));
  app.useGlobalPipes(new InputValidation());
  protect(app);
  serveOpenApi(app);
  await servePage(fastify, settings.PAGE_DIRECTORY);
  return app;
}

function protect(app: NestFastifyApplication): void {
  // Only what this process serves; elements in foreign pages bring their own policy.
  app.useSecurityHeaders({
    contentSecurityPolicy: {
      directives: {
        fontSrc: ["'self'", 'data:'],
        styleSrc: ["'self'", "'unsafe-inline'"],
        connectSrc: "'self'",
        upgradeInsecureRequests: null,
      },
    },
    strictTransportSecurity: { includeSubDomains: false },
  });
  // Only a cookie is sent by a browser without the page's doing; a token in a header proves the page knows it.
  app.enableCsrfProtection({
    exclude: ({ headers }: FastifyRequest) =>
      headers.authorization !== undefined || !(headers.cookie ?? '').includes(`${SESSION_COOKIE}=`),
  });
  app.enableCors({
    origin: '*',
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['content-disposition', 'retry-after', 'allow'],
    maxAge: 600,
  });
}
