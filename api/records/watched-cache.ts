import type { Notifications } from '../../db/notifications.js';

/** How long values may live, how many, and which channel says that they changed. */
export interface WatchedCacheOptions<Value> {
  readonly channel: string;
  readonly maxAgeMs: number;
  readonly maxEntries: number;
  /** Does the notification's payload speak of this value? Absent: every notification empties the cache. */
  readonly concerns?: (value: Value, payload: string) => boolean;
  /** Milliseconds after loading at which this value ends by itself, if that is sooner than `maxAgeMs`. */
  readonly endsInMs?: (value: Value) => number;
}

interface Entry<Value> {
  readonly value: Value;
  readonly until: number;
}

/**
 * A short memory of database rows that forgets a row as soon as a notification says it changed. While notifications
 * can't be trusted nothing is remembered. A load that began before a change is used, never remembered.
 */
export class WatchedCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #notifications: Notifications;
  readonly #options: WatchedCacheOptions<Value>;
  #changes = 0;

  constructor(notifications: Notifications, options: WatchedCacheOptions<Value>) {
    this.#notifications = notifications;
    this.#options = options;
    notifications.on(options.channel, (payload) => this.#forget(payload));
  }

  /** The remembered value, or what `load` finds; null is never remembered. */
  async get(key: string, load: () => Promise<Value | null>): Promise<Value | null> {
    const known = this.#entries.get(key);
    if (known && known.until > performance.now() && this.#notifications.healthy) return known.value;
    const changesBefore = this.#changes;
    const startedAt = performance.now();
    const value = await load();
    if (value !== null && changesBefore === this.#changes && this.#notifications.healthy)
      this.#remember(key, value, startedAt);
    return value;
  }

  /** This process changed something itself: forget at once, without waiting for the notification's way round. */
  forget(payload: string): void {
    this.#forget(payload);
  }

  #remember(key: string, value: Value, startedAt: number): void {
    const { maxAgeMs, maxEntries, endsInMs } = this.#options;
    // Deleting first moves the key to the end, so the oldest entries are the first of the map.
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= maxEntries && oldest !== undefined) this.#entries.delete(oldest);
    const age = Math.min(maxAgeMs, endsInMs?.(value) ?? maxAgeMs);
    this.#entries.set(key, { value, until: startedAt + age });
  }

  #forget(payload: string | null): void {
    this.#changes++;
    const { concerns } = this.#options;
    if (payload === null || !concerns) return this.#entries.clear();
    for (const [key, { value }] of this.#entries) if (concerns(value, payload)) this.#entries.delete(key);
  }
}
