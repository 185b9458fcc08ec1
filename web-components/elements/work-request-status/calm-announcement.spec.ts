import { describe, expect, it } from '@jest/globals';
import { CalmAnnouncement } from './calm-announcement.js';

describe('what is read out of a request', () => {
  it('is each step at once, and the first detail of it', () => {
    const announcement = new CalmAnnouncement();
    expect(announcement.say('Queued.', null, 0)).toBe('Queued.');
    expect(announcement.say('Queued.', 'Number 3 in line.', 100)).toBe('Queued. Number 3 in line.');
    expect(announcement.say('Running.', null, 200)).toBe('Running.');
  });

  it('leaves a place in line that changes every few seconds alone for half a minute', () => {
    const announcement = new CalmAnnouncement();
    announcement.say('Queued.', 'Number 30 in line.', 0);
    const said = Array.from({ length: 24 }, (_, turn) =>
      announcement.say('Queued.', `Number ${29 - turn} in line.`, 5_000 * (turn + 1)),
    );
    // Two minutes of a line that moves every 5 s.
    expect([...new Set(said)]).toEqual([
      'Queued. Number 30 in line.',
      'Queued. Number 24 in line.',
      'Queued. Number 18 in line.',
      'Queued. Number 12 in line.',
      'Queued. Number 6 in line.',
    ]);
  });
});
