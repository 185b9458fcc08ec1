import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { addCommonRefusals } from './api-refusals.js';
import { describeBodies } from './describe-bodies.js';

/** The API's description, made of the same schemas that check what comes in. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Model hub')
    .setDescription(
      'Molecules in, every row back. Sign in, submit to a model, follow the events, read the result. ' +
        'Errors are `{"detail": …}`: one sentence, or a list of the fields at fault.',
    )
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'session_token of a sign-in' })
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  const described = describeBodies(document);
  addCommonRefusals(described);
  return described;
}

/** Serves the description and its page; every asset comes from this process. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('api/v1/docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'api/v1/openapi.json',
    raw: ['json'],
    customSiteTitle: 'Model hub API',
    swaggerOptions: { validatorUrl: null, persistAuthorization: true },
  });
}
