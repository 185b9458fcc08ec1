import { describe, expect, it } from '@jest/globals';
import type { NotificationListener, Notifications } from '../../db/notifications.js';
import { WatchedCache } from './watched-cache.js';

/** Notifications whose health and messages the spec decides. */
function createNotifications() {
  let listener: NotificationListener = () => undefined;
  const state = { healthy: true };
  const notifications: Notifications = {
    get healthy() {
      return state.healthy;
    },
    on(_, given) {
      listener = given;
      return () => undefined;
    },
    close: () => Promise.resolve(),
  };
  return { notifications, state, tell: (payload: string | null) => listener(payload) };
}

describe('a watched cache', () => {
  const create = (maxAgeMs = 60_000, maxEntries = 10) => {
    const { notifications, state, tell } = createNotifications();
    const cache = new WatchedCache<string>(notifications, {
      channel: 'changes',
      maxAgeMs,
      maxEntries,
      concerns: (value, payload) => value.startsWith(payload),
    });
    let loads = 0;
    const get = (key: string, value = `${key}-value`) =>
      cache.get(key, async () => {
        loads++;
        return value;
      });
    return { cache, get, state, tell, loads: () => loads };
  };

  it('asks once for what it may remember', async () => {
    const { get, loads } = create();
    expect([await get('a'), await get('a'), await get('b')]).toEqual(['a-value', 'a-value', 'b-value']);
    expect(loads()).toBe(2);
  });

  it('forgets what a notification concerns, and nothing else', async () => {
    const { get, tell, loads } = create();
    await get('a');
    await get('b');
    tell('a');
    await get('b');
    expect(loads()).toBe(2);
    await get('a');
    expect(loads()).toBe(3);
  });

  it('forgets everything after a gap', async () => {
    const { get, tell, loads } = create();
    await get('a');
    await get('b');
    tell(null);
    await get('a');
    await get('b');
    expect(loads()).toBe(4);
  });

  it('believes nothing while notifications are not healthy', async () => {
    const { get, state, loads } = create();
    await get('a');
    state.healthy = false;
    await get('a');
    await get('a');
    expect(loads()).toBe(3);
    state.healthy = true;
    // What was remembered before may be remembered still: a gap would have emptied it.
    await get('a');
    expect(loads()).toBe(3);
  });

  it('does not remember a load that began before a change', async () => {
    const { cache, get, tell, loads } = create();
    let answer: (value: string) => void = () => undefined;
    const early = cache.get('a', () => new Promise<string>((resolve) => (answer = resolve)));
    tell('a');
    answer('a-old');
    expect(await early).toBe('a-old');
    expect(await get('a', 'a-new')).toBe('a-new');
    expect(loads()).toBe(1);
  });

  it('ends by age, and never remembers that there is nothing', async () => {
    const { cache, get, loads } = create(20);
    await get('a');
    await new Promise((resolve) => setTimeout(resolve, 40));
    await get('a');
    expect(loads()).toBe(2);
    expect(await cache.get('none', async () => null)).toBeNull();
    expect(await cache.get('none', async () => 'now there')).toBe('now there');
  });

  it('holds no more than it may, dropping the oldest', async () => {
    const { get, loads } = create(60_000, 3);
    for (const key of ['a', 'b', 'c', 'd']) await get(key);
    await get('d');
    await get('b');
    expect(loads()).toBe(4);
    await get('a');
    expect(loads()).toBe(5);
  });
});
