import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import type { TemporalSettings } from './temporal.config.js';

/** gRPC would wait up to two minutes before it tries a server again that was away. */
const reconnectSoon = {
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
};

/** A client that connects at its first call: a process can start while Temporal is still away. */
export function createTemporalClient(
  settings: TemporalSettings,
  options: Pick<ConnectionOptions, 'interceptors'> = {},
): Client {
  const connection = Connection.lazy({
    ...options,
    address: settings.TEMPORAL_ADDRESS,
    connectTimeout: '5s',
    channelArgs: reconnectSoon,
  });
  return new Client({ connection, namespace: settings.TEMPORAL_NAMESPACE });
}
