import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mebibytesToBytes } from '../units.js';
import { pauseSeconds, settleAttempt, type AttemptHistory } from './settle-attempt.js';

const history = (over: Partial<AttemptHistory> = {}): AttemptHistory => ({
  memoryKills: 0,
  attemptsWithoutProgress: 0,
  largestNodeBytes: mebibytesToBytes(8192),
  ...over,
});
const outOfMemory = (mebibytes: number) =>
  ({ type: 'out-of-memory', memoryLimitBytes: mebibytesToBytes(mebibytes), message: 'killed' }) as const;
const lost = (crashed: boolean) =>
  ({ type: 'lost', crashed, message: 'The instance failed: its server ended.' }) as const;

describe('a request whose instance ran out of memory', () => {
  it.each([
    ['the first time gets twice the limit of the one that died', 512, 0, 1024],
    ['the second time gets twice that', 1024, 1, 2048],
    ['gets all of the largest node when that is less than twice', 6000, 0, 8192],
  ])('%s', (_, had, memoryKills, gets) => {
    const settled = settleAttempt(outOfMemory(had), history({ memoryKills }));
    expect(settled).toMatchObject({ type: 'again', memoryBytes: mebibytesToBytes(gets) });
  });

  it('fails the third time, and says how much it had and what to do', () => {
    const settled = settleAttempt(outOfMemory(2048), history({ memoryKills: 2 }));
    expect(settled).toMatchObject({ type: 'fail', failure: { type: 'OutOfMemory' } });
    expect(settled.type === 'fail' && settled.failure.message).toMatch(
      /3 times, at last with 2048 MiB.*fewer or smaller molecules/,
    );
  });

  it.each([8192, 9000])(
    'fails when it had %i MiB and no node could give it more, and names the largest',
    (had) => {
      const settled = settleAttempt(outOfMemory(had), history());
      expect(settled.type === 'fail' && settled.failure.message).toMatch(
        new RegExp(`${had} MiB.*no node can give it more.*largest holds 8192 MiB`),
      );
    },
  );

  it('X-W10: gets more each time, never over the largest node, and gives up only after three kills or with all of that node', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 1, max: 20_000 }),
        (first, largest) => {
          let limit = first;
          let memoryKills = 0;
          for (;;) {
            const settled = settleAttempt(
              outOfMemory(limit),
              history({ memoryKills, largestNodeBytes: mebibytesToBytes(largest) }),
            );
            memoryKills += 1;
            if (settled.type === 'fail') break;
            expect(settled.memoryBytes).toBeGreaterThan(mebibytesToBytes(limit));
            expect(settled.memoryBytes).toBe(mebibytesToBytes(Math.min(limit * 2, largest)));
            limit = Math.min(limit * 2, largest);
          }
          expect(memoryKills).toBeLessThanOrEqual(3);
          expect(memoryKills === 3 || limit >= largest).toBe(true);
        },
      ),
    );
  });
});

describe('a request whose instance was lost', () => {
  it.each([
    ['with its machine runs again, however often', lost(false), 50, 'again'],
    ['to a crash runs again', lost(true), 0, 'again'],
    ['to the fourth crash in a row runs again', lost(true), 3, 'again'],
    ['to the fifth crash in a row fails', lost(true), 4, 'fail'],
  ])('%s', (_, outcome, attemptsWithoutProgress, type) => {
    expect(settleAttempt(outcome, history({ attemptsWithoutProgress })).type).toBe(type);
  });
});

describe('the pause before the next instance', () => {
  it('is none after the first loss, then longer and longer, and never over a minute', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 2_000].map(pauseSeconds)).toEqual([0, 0, 5, 10, 20, 40, 60, 60, 60]);
  });
});

describe('a request whose model answered wrongly', () => {
  it('fails with the reason as it is', () => {
    const failure = { type: 'ModelError', message: 'The model answered 2 records for 3 molecules.' } as const;
    expect(settleAttempt({ type: 'failed', failure, instanceBusy: false }, history())).toEqual({
      type: 'fail',
      failure,
    });
  });
});
