import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { LeaseFacts } from '../../db/queries/leases.js';
import { guardLease } from './lease-guard.js';

const lease = {
  lease_token: 'token',
  lease_state: 'GRANTED',
  request_id: 1,
  request_state: 'PROCESSING',
  run_key: 'key',
  current_run_key: 'key',
  instance_id: 'instance',
  instance_state: 'ACTIVE',
  uid: 'uid',
} as LeaseFacts;
const away = new Error('the database is away');

describe('the guard of a lease, while no further change is told', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** Reads the lease with `rows` alone; the host's watch and the database's notifications say nothing. */
  function guardWith(rows: () => Promise<unknown[]>) {
    const silent = {
      database: { rows },
      notifications: { on: () => () => undefined },
      instances: { see: () => null, onChange: () => () => undefined, current: true },
      log: { warn: () => undefined },
    } as unknown as Parameters<typeof guardLease>[0];
    return guardLease(silent, lease, new AbortController().signal);
  }

  it('learns that the lease is over also after it could not be read', async () => {
    const rows = jest
      .fn<() => Promise<unknown[]>>()
      .mockResolvedValue([{ ...lease, lease_state: 'RELEASED' }]);
    rows.mockRejectedValueOnce(away).mockRejectedValueOnce(away);
    const guard = guardWith(rows);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(guard.cause).toBe('lease over');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('reads nothing any more once it is closed', async () => {
    const rows = jest.fn<() => Promise<unknown[]>>().mockRejectedValue(away);
    guardWith(rows).close();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(rows).toHaveBeenCalledTimes(1);
  });
});
