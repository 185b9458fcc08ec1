import { Logger } from '@nestjs/common';
import type { Client } from '@temporalio/client';
import { openDatabase, type Database } from '../../db/database.js';
import { openNotifications, type Notifications } from '../../db/notifications.js';
import { readHubId } from '../../db/queries/hub-identity.js';
import { createTemporalClient } from '../../temporal/connection.js';
import type { ApiSettings } from '../api.config.js';
import { createLogReader, type LogReader } from './log-reader.js';
import { createChemistry, type Chemistry } from '../../chemistry/chemistry.js';

/** What the api process talks to. All of it connects when first used, so the process starts without any of it. */
export interface ApiParts {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly temporal: Client;
  readonly chemistry: Chemistry;
  readonly logReader: LogReader;
}

/** Opens every part without waiting for any of them. */
export async function openApiParts(settings: ApiSettings): Promise<ApiParts> {
  const database = await openDatabase(settings);
  return {
    database,
    notifications: openNotifications(settings.DATABASE_URL, (text) => Logger.warn(text)),
    // No retries of its own: what fails is told or left to the reconciler at once, and nothing outlives a closed channel.
    temporal: createTemporalClient(settings, { interceptors: [] }),
    chemistry: createChemistry({ threads: settings.CHEMISTRY_THREADS }),
    logReader: createLogReader(settings, () => readHubId(database)),
  };
}

/** Lets go of every part; one that fails to close does not keep the others open. */
export async function closeApiParts(parts: ApiParts): Promise<void> {
  const closings = await Promise.allSettled([
    parts.notifications.close(),
    parts.temporal.connection.close(),
    parts.chemistry.close(),
    parts.logReader.close(),
    parts.database.close(),
  ]);
  const faults = closings
    .filter((closing) => closing.status === 'rejected')
    .map(({ reason }) => reason as unknown);
  if (faults.length > 0)
    throw new AggregateError(faults, 'the api process could not let go of all its parts');
}
