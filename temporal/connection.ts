import { Client, Connection } from '@temporalio/client';
import type { TemporalSettings } from './temporal.config.js';

/** A client that connects at its first call: a process can start while Temporal is still away. */
export function createTemporalClient(settings: TemporalSettings): Client {
  const connection = Connection.lazy({ address: settings.TEMPORAL_ADDRESS, connectTimeout: '5s' });
  return new Client({ connection, namespace: settings.TEMPORAL_NAMESPACE });
}
