import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tellStart } from './tell-start.js';

it.each([
  [
    'a scheduler that finds no node',
    { reason: 'Unschedulable', message: '0/3 nodes are available: 3 Insufficient memory.' },
    'No node can take the instance yet: 0/3 nodes are available: 3 Insufficient memory.',
  ],
  [
    'an image that can not be pulled',
    { reason: 'ImagePullBackOff', message: 'Back-off pulling image "models/eos:9"' },
    'The instance can not start yet, its image could not be pulled (ImagePullBackOff): Back-off pulling image "models/eos:9".',
  ],
  [
    'a cluster that grants no more pods',
    { reason: 'QuotaExceeded', message: 'exceeded quota: pods=5' },
    'The instance waits (QuotaExceeded): exceeded quota: pods=5.',
  ],
  ['a word without a message', { reason: 'constructor', message: null }, 'The instance waits (constructor).'],
])('tells of %s', (_, waiting, sentence) => {
  expect(tellStart(waiting)).toBe(sentence);
});

it('is one sentence that ends, and keeps what the host said', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string(), (reason, message) => {
      const sentence = tellStart({ reason, message });
      expect(sentence).toContain(message.trim());
      expect(sentence).toMatch(/[.!?]$/);
    }),
  );
});
