import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { parseSettings } from '../domain/settings.js';
import { apiSettings } from './api.config.js';
import { createApp } from './create-app.js';
import { closeApiParts, openApiParts } from './records/api-parts.js';

/** Who does not let go in this time is cut off. */
const STOP_MS = 8_000;

const settings = parseSettings(apiSettings, process.env);
const parts = await openApiParts(settings);
const app = await createApp(settings, parts);
// The threads take a third of a second to start; the first caller should not wait for them.
void parts.chemistry
  .warmUp()
  .catch((error: unknown) => Logger.error(`warming up chemistry: ${String(error)}`));
let stopping = false;

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(1), STOP_MS).unref();
  await app.close();
  await closeApiParts(parts);
  process.exit(0);
}

// A supervisor that was killed disconnects without a word; without it nobody would ever stop this process.
process.on('disconnect', () => void stop());
// The supervisor asks now and then whether we still turn.
process.on('message', () => process.connected && process.send?.('alive'));
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());

await app.listen({ port: settings.PORT, host: settings.HOST });
console.log(`api listens on ${await app.getUrl()}`);
process.send?.('ready');
