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
/**
 * Postgres keeps what it has to tell until all who listen took it, and refuses every change that has something to tell when
 * it has kept 8 GB. So it is asked to cut off a frozen process, which takes nothing, after this long.
 */
const UNTAKEN_LATEST_MS = 30_000;
/** A server that takes longer to accept a connection or a statement is given up and asked anew. */
const ANSWER_LATEST_MS = 5_000;

/**
 * Opens the connection in the background; a database that is away is tried again until it is back.
 * @param warn told once per outage why nothing can be heard, e.g. by a pooler that does not pass notifications on
 * @param untakenMs after which Postgres cuts off a process that takes nothing of what it is told
 */
export function openNotifications(
  url: string,
  warn: (text: string) => void,
  untakenMs = UNTAKEN_LATEST_MS,
): Notifications {
  return new ListeningConnection(url, warn, untakenMs);
}

class ListeningConnection implements Notifications {
  readonly #url: string;
  readonly #listeners = new Map<string, Set<NotificationListener>>();
  readonly #heartbeatChannel = `hub_heartbeat_${randomUUID().replaceAll('-', '')}`;
  readonly #timers: readonly NodeJS.Timeout[];
  #client: pg.Client | null = null;
  #connecting: Promise<void> | null = null;
  #lastBeat = 0;
  #isOutageTold = false;

  constructor(
    url: string,
    private readonly warn: (text: string) => void,
    private readonly untakenMs: number,
  ) {
    this.#url = url;
    this.#reconnect();
    this.#timers = [
      setInterval(() => this.#reconnect(), RECONNECT_MS),
      setInterval(() => this.#beat(), HEARTBEAT_MS),
    ];
  }

  get healthy(): boolean {
    return this.#client !== null && Date.now() - this.#lastBeat < HEARTBEAT_LATEST_MS;
  }

  on(channel: string, listener: NotificationListener): () => void {
    const set = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, set.add(listener));
    if (this.#client && set.size === 1) this.#say(this.#client, `listen ${channel}`);
    return () => void set.delete(listener);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#connecting;
    const last = this.#client;
    this.#client = null;
    await last?.end();
  }

  async #connect(): Promise<void> {
    const next = this.#newClient();
    try {
      await next.connect();
      await next.query(`listen ${this.#heartbeatChannel}`);
      // The map is walked while it grows: whoever subscribes meanwhile is heard too.
      for (const channel of this.#listeners.keys()) await next.query(`listen ${channel}`);
    } catch (error) {
      // Not connected yet: the timer tries again until the database is back.
      this.#tellOutage(error as Error);
      void next.end().catch(() => undefined);
      return;
    }
    this.#isOutageTold = false;
    this.#client = next;
    this.#lastBeat = Date.now();
    for (const set of this.#listeners.values()) for (const listener of set) listener(null);
  }

  #tellOutage({ message }: Error): void {
    if (this.#isOutageTold) return;
    this.#isOutageTold = true;
    this.warn(`listening to the database failed; until it can be listened to news comes late: ${message}`);
  }

  #newClient(): pg.Client {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'model-hub listen',
      options: `-c tcp_user_timeout=${this.untakenMs}`,
      keepAlive: true,
      connectionTimeoutMillis: ANSWER_LATEST_MS,
      query_timeout: ANSWER_LATEST_MS,
    });
    client.on('error', () => this.#drop(client));
    client.on('end', () => this.#drop(client));
    client.on('notification', ({ channel, payload }) => {
      if (channel === this.#heartbeatChannel) this.#lastBeat = Date.now();
      else for (const listener of this.#listeners.get(channel) ?? []) listener(payload ?? null);
    });
    return client;
  }

  #reconnect(): void {
    if (this.#client || this.#connecting) return;
    this.#connecting = this.#connect().finally(() => (this.#connecting = null));
  }

  #beat(): void {
    if (this.#client && !this.healthy) this.#drop(this.#client);
    if (this.#client) this.#say(this.#client, `notify ${this.#heartbeatChannel}`);
  }

  #say(client: pg.Client, statement: string): void {
    void client.query(statement).catch(() => this.#drop(client));
  }

  #drop(dead: pg.Client): void {
    if (this.#client !== dead) return;
    this.#client = null;
    void dead.end().catch(() => undefined);
  }
}
