import { describe, expect, it } from '@jest/globals';
import { type OwnerRow, ownerlessMs, type WatchedPod, wasEndedInUse } from './pod-owners.js';

const pod: WatchedPod = {
  uid: 'a',
  name: 'model-1',
  namespace: 'models',
  labels: {},
  createdAtMs: 1000,
  endOrderedAtMs: null,
  goneAtMs: null,
};
const row: OwnerRow = { id: '1', uid: 'a', terminatingAtMs: null, terminatedAtMs: null };

describe('how long a pod has no owner', () => {
  it('is no time while its row lives, also before the row knows its uid', () => {
    expect(ownerlessMs(pod, row, 9000)).toBe(0);
    expect(ownerlessMs(pod, { ...row, uid: null }, 9000)).toBe(0);
  });

  it('counts from its creation when there is no row, or only that of another pod', () => {
    expect(ownerlessMs(pod, undefined, 9000)).toBe(8000);
    expect(ownerlessMs(pod, { ...row, uid: 'b' }, 9000)).toBe(8000);
  });

  it('counts from the end of its row to its own end', () => {
    expect(ownerlessMs({ ...pod, goneAtMs: 7000 }, { ...row, terminatedAtMs: 5000 }, 9000)).toBe(2000);
    expect(ownerlessMs({ ...pod, goneAtMs: 4000 }, { ...row, terminatedAtMs: 5000 }, 9000)).toBe(0);
  });
});

describe('whether a pod was ended in use', () => {
  const ended = { ...pod, endOrderedAtMs: 5000 };

  it('is so when its row did not say before that it is ending', () => {
    expect(wasEndedInUse(ended, row)).toBe(true);
    expect(wasEndedInUse(ended, { ...row, terminatingAtMs: 6000 })).toBe(true);
  });

  it('is not so when it did, when nobody ended it, and when no row stands for it', () => {
    expect(wasEndedInUse(ended, { ...row, terminatingAtMs: 4000 })).toBe(false);
    expect(wasEndedInUse(pod, row)).toBe(false);
    expect(wasEndedInUse(ended, undefined)).toBe(false);
    expect(wasEndedInUse(ended, { ...row, uid: 'b' })).toBe(false);
  });
});
