import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isOverAtHost, judgeEnd, judgeStart, judgeUnready, type EndFacts, type LifeLimits } from './life.js';

const limits: LifeLimits = { pendingSeconds: 600, imageSeconds: 120, readySeconds: 300, unreadySeconds: 60 };
const waits = (reason: string, seconds: number, message: string | null = null) => ({
  reason,
  message,
  seconds,
});

describe('a starting instance', () => {
  it.each([
    ['that no node has may be pending', 100, null, null, 500],
    ['that the scheduler can not place may be pending', 599, null, waits('Unschedulable', 599), 1],
    ['that was placed late has its whole time to get ready', 590, 0, null, 300],
    ['whose image can not be pulled has the time of images', 50, 40, waits('ImagePullBackOff', 20), 100],
    ['whose image failed late has the time of images too', 250, 200, waits('ErrImagePull', 0), 100],
    ['that waits for anything else has the time to get ready', 80, 30, waits('PodInitializing', 30), 270],
    ['whose image has no valid name has no time', 1, 1, waits('InvalidImageName', 0), 0],
  ])('%s', (_, ageSeconds, placedSeconds, waiting, secondsLeft) => {
    expect(judgeStart({ ageSeconds, placedSeconds, waiting }, limits).secondsLeft).toBe(secondsLeft);
  });

  it.each([
    [
      'says what the scheduler said',
      {
        ageSeconds: 600,
        placedSeconds: null,
        waiting: waits('Unschedulable', 600, '0/3 nodes are available'),
      },
      'no node could take it within 600 s: 0/3 nodes are available',
    ],
    [
      'says that nobody placed it',
      { ageSeconds: 600, placedSeconds: null, waiting: null },
      'no node could take it within 600 s',
    ],
    [
      'says what kept its host from taking it',
      {
        ageSeconds: 600,
        placedSeconds: null,
        waiting: waits('HostUnavailable', 600, 'the cluster answered POST /pods with 500'),
      },
      'its host did not take it within 600 s: the cluster answered POST /pods with 500',
    ],
    [
      'says what the registry said',
      { ageSeconds: 200, placedSeconds: 190, waiting: waits('ImagePullBackOff', 121, 'pull access denied') },
      'its image could not be pulled for 121 s (ImagePullBackOff): pull access denied',
    ],
    [
      'says what to correct',
      { ageSeconds: 2, placedSeconds: 1, waiting: waits('InvalidImageName', 1, 'couldn\'t parse "a b"') },
      'the name of its image is not valid: couldn\'t parse "a b"; correct the image and the tag of the model',
    ],
    [
      'says that its server never answered',
      { ageSeconds: 310, placedSeconds: 300, waiting: null },
      'it was not ready within 300 s; its server never answered a health check',
    ],
  ])('that is given up %s', (_, facts, message) => {
    expect(judgeStart(facts, limits)).toEqual({ secondsLeft: 0, end: { reason: 'NEVER_READY', message } });
  });

  it('is given up some time, whatever it waits for, and has never more time a moment later', () => {
    const reason = fc.constantFrom('Unschedulable', 'ErrImagePull', 'CreateContainerError', 'whatever');
    const seconds = fc.integer({ min: 0, max: 2_000 });
    fc.assert(
      fc.property(reason, seconds, fc.option(seconds), seconds, (word, age, placed, later) => {
        const after = (more: number) =>
          judgeStart(
            {
              ageSeconds: age + more,
              placedSeconds: placed === null ? null : placed + more,
              waiting: waits(word, more),
            },
            limits,
          ).secondsLeft;
        expect(after(later)).toBeLessThanOrEqual(after(0));
        expect(after(600)).toBe(0);
      }),
    );
  });
});

describe('an instance that was ready and is not', () => {
  it.each([
    ['may miss health checks for a while', 20, false, 40],
    ['is given up when that takes too long', 60, false, 0],
    ['is spared while it computes, however long', 5_000, true, 60],
  ])('%s', (_, unreadySeconds, computes, secondsLeft) => {
    expect(judgeUnready({ unreadySeconds, computes }, limits)).toEqual({
      secondsLeft,
      end: {
        reason: 'FAILED',
        message: 'its server was ready and then answered no health check for 60 s',
      },
    });
  });
});

const living: EndFacts = { phase: 'Running', restartCount: 0, terminating: false, lastTermination: null };
const ended = (reason: string, exitCode: number | null = null, message: string | null = null) => ({
  reason,
  exitCode,
  message,
});

describe('an instance that is over', () => {
  it.each<[string, Partial<EndFacts>, string, string]>([
    [
      'after a crash',
      { phase: 'Failed', lastTermination: ended('Error', 3) },
      'FAILED',
      'its server ended (Error, exit code 3)',
    ],
    [
      'after a crash that its kubelet mended',
      { restartCount: 1, lastTermination: ended('Error', 1) },
      'FAILED',
      'its server ended (Error, exit code 1)',
    ],
    [
      'after an ordinary exit',
      { phase: 'Succeeded', lastTermination: ended('Completed', 0) },
      'FAILED',
      'its server ended (Completed, exit code 0)',
    ],
    [
      'out of memory',
      { phase: 'Failed', lastTermination: ended('OOMKilled', 137) },
      'OOMKILLED',
      'its server ended (OOMKilled, exit code 137)',
    ],
    [
      'evicted',
      { phase: 'Failed', lastTermination: ended('Evicted', null, 'The node was low on resource: memory.') },
      'LOST',
      'its node gave it up (Evicted): The node was low on resource: memory.',
    ],
    [
      'preempted',
      { terminating: true, lastTermination: ended('Preempted') },
      'LOST',
      'its place was taken by a pod of a higher priority (Preempted)',
    ],
    [
      'with its node',
      { terminating: true, lastTermination: ended('NodeLost') },
      'LOST',
      'its node is gone or does not answer (NodeLost)',
    ],
    ['with a node that nobody reaches', { phase: 'Unknown' }, 'LOST', 'its node is gone or does not answer'],
    ['deleted from outside', { terminating: true }, 'LOST', 'it was removed from its host by someone else'],
    [
      'deleted from outside, its server stopped by the signal of that',
      { terminating: true, lastTermination: ended('Error', 143) },
      'LOST',
      'it was removed from its host by someone else',
    ],
    ['without a word', { phase: 'Failed' }, 'LOST', 'its host ended it without a reason'],
  ])('%s has a reason and a sentence', (_, facts, reason, message) => {
    expect(judgeEnd({ ...living, ...facts })).toEqual({ reason, message });
  });

  it('X-W10: ran out of memory only by the word of its host, never by what a log or a message says', () => {
    const endOf = (reason: string, message: string) =>
      judgeEnd({ ...living, phase: 'Failed', lastTermination: ended(reason, 137, message) })?.reason;
    expect(endOf('OOMKilled', 'the server printed nothing')).toBe('OOMKILLED');
    expect(endOf('Error', 'Killed: out of memory, OOMKilled')).toBe('FAILED');
    expect(endOf('Evicted', 'Killed')).toBe('LOST');
  });

  it('is not one that lives, whatever it went through', () => {
    expect(judgeEnd(living)).toBeNull();
    expect(judgeEnd({ ...living, phase: 'Pending', lastTermination: ended('Preempted') })).toBeNull();
  });

  it('has a reason exactly when it is over, and is blamed on the model only without a word of its host', () => {
    const facts = fc.record({
      phase: fc.constantFrom<EndFacts['phase']>('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
      restartCount: fc.nat(2),
      terminating: fc.boolean(),
      lastTermination: fc.option(
        fc.record({
          reason: fc.constantFrom(
            'OOMKilled',
            'Error',
            'Evicted',
            'Preempted',
            'NodeLost',
            'HostLost',
            'toString',
          ),
          exitCode: fc.option(fc.nat(255)),
          message: fc.option(fc.string()),
        }),
      ),
    });
    fc.assert(
      fc.property(facts, (seen) => {
        const end = judgeEnd(seen);
        expect(end !== null).toBe(isOverAtHost(seen));
        if (end?.reason === 'FAILED')
          expect(['HostLost', 'NodeLost', 'Evicted', 'Preempted']).not.toContain(
            seen.lastTermination!.reason,
          );
        if (end) expect(end.message.length).toBeGreaterThan(10);
      }),
    );
  });
});
