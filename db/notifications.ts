import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** Someone who wants to know; `null` means "something may have been missed: look for yourself". */
export type NotificationListener = (payload: string | null) => void;

/**
 * One listening connection of a process. Notifications are hints: after every gap each listener is told `null`.
 * The connection proves itself by a heartbeat it sends to itself; `healthy` says whether the last one came back.
 */
export interface Notifications {
  readonly healthy: boolean;
  /** @returns a function that ends the subscription */
  on(channel: string, listener: NotificationListener): () => void;
  close(): Promise<void>;
}

const HEARTBEAT_MS = 2_000;
/** A heartbeat that is this late means the connection is dead, whatever TCP says. */
const HEARTBEAT_LATEST_MS = 5_000;
const RECONNECT_MS = 250;
/** A server that takes longer to accept a connection or a statement is given up and asked anew. */
const ANSWER_LATEST_MS = 5_000;

/** Opens the connection in the background; a database that is away is tried again until it is back. */
export function openNotifications(url: string): Notifications {
  const listeners = new Map<string, Set<NotificationListener>>();
  const heartbeatChannel = `hub_heartbeat_${randomUUID().replaceAll('-', '')}`;
  let client: pg.Client | null = null;
  let lastBeat = 0;
  let closed = false;

  const isHealthy = () => client !== null && Date.now() - lastBeat < HEARTBEAT_LATEST_MS;
  const tellGap = () => {
    for (const set of listeners.values()) for (const listener of set) listener(null);
  };

  async function connect(): Promise<void> {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'model-hub listen',
      keepAlive: true,
      connectionTimeoutMillis: ANSWER_LATEST_MS,
      query_timeout: ANSWER_LATEST_MS,
    });
    next.on('error', () => drop(next));
    next.on('end', () => drop(next));
    next.on('notification', ({ channel, payload }) => {
      if (channel === heartbeatChannel) lastBeat = Date.now();
      else for (const listener of listeners.get(channel) ?? []) listener(payload ?? null);
    });
    try {
      await next.connect();
      await next.query(`listen ${heartbeatChannel}`);
      // The map is walked while it grows: whoever subscribes meanwhile is heard too.
      for (const channel of listeners.keys()) await next.query(`listen ${channel}`);
    } catch {
      // Not connected yet: the timer below tries again until the database is back.
      void next.end().catch(() => undefined);
      return;
    }
    client = next;
    lastBeat = Date.now();
    tellGap();
  }

  function drop(dead: pg.Client): void {
    if (client !== dead) return;
    client = null;
    void dead.end().catch(() => undefined);
  }

  async function beat(): Promise<void> {
    if (client && !isHealthy()) drop(client);
    if (!client) return;
    const current = client;
    await current.query(`notify ${heartbeatChannel}`).catch(() => drop(current));
  }

  let connecting: Promise<void> = connect();
  const reconnecting = setInterval(() => {
    if (!client && !closed) connecting = connecting.then(() => (client || closed ? undefined : connect()));
  }, RECONNECT_MS);
  const beating = setInterval(() => void beat(), HEARTBEAT_MS);

  return {
    get healthy() {
      return isHealthy();
    },
    on(channel, listener) {
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set.add(listener));
      if (client && set.size === 1) {
        const current = client;
        void current.query(`listen ${channel}`).catch(() => drop(current));
      }
      return () => void set.delete(listener);
    },
    async close() {
      closed = true;
      clearInterval(reconnecting);
      clearInterval(beating);
      await connecting;
      const last = client;
      client = null;
      await last?.end();
    },
  };
}
