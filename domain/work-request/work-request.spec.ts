import { describe, expect, it } from '@jest/globals';
import {
  isFinished,
  nextWorkRequestState,
  statesBefore,
  workRequestMoves,
  workRequestStates,
  type WorkRequestMove,
  type WorkRequestState,
} from './work-request.js';

const story: readonly [WorkRequestState, WorkRequestMove, WorkRequestState, string][] = [
  ['QUEUED', 'plan', 'SCHEDULING', 'a queued request is planned and waits for an instance'],
  ['SCHEDULING', 'run', 'PROCESSING', 'a waiting request runs when it has an instance'],
  ['PROCESSING', 'run', 'PROCESSING', 'a running request goes on with the next slice'],
  ['SCHEDULING', 'wait again', 'SCHEDULING', 'a waiting request whose instance died before it ran waits on'],
  ['PROCESSING', 'wait again', 'SCHEDULING', 'a running request whose instance died waits for the next one'],
  [
    'SCHEDULING',
    'complete',
    'COMPLETED',
    'a request whose rows all lie in the cache completes without running',
  ],
  ['PROCESSING', 'complete', 'COMPLETED', 'a running request completes'],
  ['QUEUED', 'fail', 'FAILED', 'a request that can not be planned fails'],
  ['SCHEDULING', 'fail', 'FAILED', 'a request that never gets an instance fails'],
  ['PROCESSING', 'fail', 'FAILED', 'a running request fails'],
  ['QUEUED', 'cancel', 'CANCELLED', 'a queued request is cancelled'],
  ['SCHEDULING', 'cancel', 'CANCELLED', 'a waiting request is cancelled'],
  ['PROCESSING', 'cancel', 'CANCELLED', 'a running request is cancelled'],
  ['FAILED', 'queue again', 'QUEUED', 'a failed request is queued again'],
  ['CANCELLED', 'queue again', 'QUEUED', 'a cancelled request is queued again'],
];

describe('a work request', () => {
  it.each(story)('from %s by "%s" becomes %s: %s', (from, move, to) => {
    expect(nextWorkRequestState(from, move)).toBe(to);
  });

  const allowed = new Set(story.map(([from, move]) => `${from} ${move}`));
  const refused = workRequestStates
    .flatMap((from) => workRequestMoves.map((move) => [from, move] as const))
    .filter(([from, move]) => !allowed.has(`${from} ${move}`));

  it.each(refused)('refuses in %s to "%s"', (from, move) => {
    expect(nextWorkRequestState(from, move)).toBeNull();
  });

  it('says of every move the states it may start from', () => {
    for (const move of workRequestMoves) {
      const told = story.filter(([, name]) => name === move).map(([from]) => from);
      expect([...statesBefore(move)].sort()).toEqual(told.sort());
    }
  });

  it('is finished when it completed, failed or was cancelled, and only then', () => {
    expect(workRequestStates.filter(isFinished)).toEqual(['COMPLETED', 'FAILED', 'CANCELLED']);
  });

  it('leaves the end only by being queued again, and never after it completed', () => {
    for (const state of workRequestStates.filter(isFinished)) {
      const ways = workRequestMoves.filter((move) => nextWorkRequestState(state, move) !== null);
      expect(ways).toEqual(state === 'COMPLETED' ? [] : ['queue again']);
    }
  });

  it('can reach an end from every state that is none', () => {
    for (const state of workRequestStates.filter((candidate) => !isFinished(candidate))) {
      expect(nextWorkRequestState(state, 'fail')).toBe('FAILED');
      expect(nextWorkRequestState(state, 'cancel')).toBe('CANCELLED');
    }
  });
});
