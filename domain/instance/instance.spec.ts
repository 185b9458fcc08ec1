import { describe, expect, it } from '@jest/globals';
import {
  canBecome,
  instanceStates,
  instanceStatesBefore,
  isToldWhenFree,
  isUsable,
  secondsUntilIdleLook,
  type InstanceState,
} from './instance.js';

const steps: readonly [InstanceState, InstanceState, string][] = [
  ['REQUESTED', 'INITIALIZING', 'the host makes it'],
  ['INITIALIZING', 'WAITING_FOR_READINESS', 'its server starts'],
  ['WAITING_FOR_READINESS', 'ACTIVE', 'its server answers'],
  ['REQUESTED', 'ACTIVE', 'it was ready before anybody looked'],
  ['ACTIVE', 'SHOULD_TERMINATE', 'nobody needs it any more'],
  ['SHOULD_TERMINATE', 'TERMINATING', 'the host is told to end it'],
  ['TERMINATING', 'TERMINATED', 'it is gone'],
  ['REQUESTED', 'SHOULD_TERMINATE', 'its requester went away before it was made'],
  ['INITIALIZING', 'TERMINATED', 'it died while it was made'],
  ['WAITING_FOR_READINESS', 'TERMINATED', 'it died before it was ready'],
  ['ACTIVE', 'TERMINATED', 'it died at work'],
];

describe('a model instance', () => {
  it.each(steps)('goes from %s to %s: %s', (from, to) => {
    expect(canBecome(from, to)).toBe(true);
  });

  it('never goes back and never stays', () => {
    for (const [index, state] of instanceStates.entries()) {
      for (const earlier of instanceStates.slice(0, index + 1)) expect(canBecome(state, earlier)).toBe(false);
    }
  });

  it('ends once: nothing follows TERMINATED', () => {
    expect(instanceStates.filter((state) => canBecome('TERMINATED', state))).toEqual([]);
    expect(instanceStatesBefore('TERMINATED')).toHaveLength(instanceStates.length - 1);
  });

  it('is asked for first: nothing comes before REQUESTED', () => {
    expect(instanceStatesBefore('REQUESTED')).toEqual([]);
  });

  it('tells the statement that writes a state exactly the states it may replace', () => {
    for (const to of instanceStates) {
      expect(instanceStatesBefore(to)).toEqual(instanceStates.filter((from) => canBecome(from, to)));
    }
    expect(instanceStatesBefore('ACTIVE')).toEqual(['REQUESTED', 'INITIALIZING', 'WAITING_FOR_READINESS']);
  });

  it('can serve, now or later, until it should terminate', () => {
    expect(instanceStates.filter(isUsable)).toEqual([
      'REQUESTED',
      'INITIALIZING',
      'WAITING_FOR_READINESS',
      'ACTIVE',
    ]);
  });
});

describe('the idle time of an instance', () => {
  it.each([
    ['is asked for again when it may be over', { leased: false, warmSeconds: 60, idleSeconds: 20 }, 40],
    ['is not asked for twice in a second', { leased: false, warmSeconds: 60, idleSeconds: 59.9 }, 1],
    ['of one that works is looked at seldom', { leased: true, warmSeconds: 0, idleSeconds: 0 }, 30],
    ['of one that works is at least its whole time', { leased: true, warmSeconds: 300, idleSeconds: 0 }, 300],
  ])('%s', (_, use, seconds) => {
    expect(secondsUntilIdleLook(use)).toBe(seconds);
  });

  it('that is shorter than a look at a working one is told when it begins', () => {
    expect([0, 29, 30, 60].filter(isToldWhenFree)).toEqual([0, 29]);
  });
});
