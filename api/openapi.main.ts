import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { apiSettings } from './api.config.js';
import { AppModule } from './app.module.js';
import { openApiDocument } from './http/open-api-document.js';
import type { ApiParts } from './records/api-parts.js';

/** Keys in order, so that the printed document changes only where the API does. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

// In preview nothing is instantiated, so no part is needed.
const settings = apiSettings.parse({ DATABASE_URL: 'postgresql://nowhere' });
const app = await NestFactory.create(AppModule.with(settings, {} as ApiParts), new FastifyAdapter(), {
  preview: true,
  logger: ['error'],
});
process.stdout.write(`${JSON.stringify(sorted(openApiDocument(app)), null, 2)}\n`);
