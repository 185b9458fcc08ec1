import { describe, expect, it } from '@jest/globals';
import { emptyPlan } from './plan-claims.js';
import { tellPause, tellWaits } from './tell-wait.js';

describe('what a plan tells', () => {
  it('those who wait: for what, and where in the line', () => {
    const waits = tellWaits({
      ...emptyPlan,
      wait: [{ leaseToken: 'a', position: 2, because: 'The hub is full.' }],
    });
    expect([...waits]).toEqual([['a', { because: 'The hub is full.', position: 2 }]]);
  });

  it('those who would be served now: that it is their turn', () => {
    const waits = tellWaits({
      ...emptyPlan,
      lend: [{ leaseToken: 'a', instanceId: 'instance' }],
      start: [{ leaseToken: 'b', modelId: 'eos-a' }],
    });
    expect([waits.get('a'), waits.get('b')]).toEqual([
      { because: 'Its turn has come.', position: 1 },
      { because: 'Its turn has come.', position: 1 },
    ]);
  });
});

it('a claim that pauses is told for how long, in whole seconds that do not end too early', () => {
  expect(tellPause(3.2)).toEqual({
    because: expect.stringContaining('is asked for in 4 s.'),
    position: null,
  });
});
