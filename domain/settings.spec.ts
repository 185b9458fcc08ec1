import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { integerSetting, parseSettings, switchSetting } from './settings.js';

const schema = z.object({
  ADDRESS: z.string().min(1),
  LIMIT: integerSetting(1, 100).default(10),
  EAGER: switchSetting.default(false),
});

describe('the settings of a process', () => {
  it('are read from the environment, with defaults where nothing is said', () => {
    expect(parseSettings(schema, { ADDRESS: 'here' })).toEqual({ ADDRESS: 'here', LIMIT: 10, EAGER: false });
    expect(parseSettings(schema, { ADDRESS: 'here', LIMIT: '7', EAGER: 'yes' })).toEqual({
      ADDRESS: 'here',
      LIMIT: 7,
      EAGER: true,
    });
  });

  it('take a blank variable for a missing one, never for 0', () => {
    const days = z.object({ DAYS: integerSetting(0, 100).default(7) });
    expect(parseSettings(days, { DAYS: ' ' })).toEqual({ DAYS: 7 });
  });

  it('take an empty variable for a missing one', () => {
    expect(parseSettings(schema, { ADDRESS: 'here', LIMIT: '', EAGER: '' })).toEqual({
      ADDRESS: 'here',
      LIMIT: 10,
      EAGER: false,
    });
    expect(() => parseSettings(schema, { ADDRESS: '' })).toThrow(/ADDRESS/);
  });

  it('ignore variables that are not theirs', () => {
    expect(parseSettings(schema, { ADDRESS: 'here', HOME: '/root' })).not.toHaveProperty('HOME');
  });

  it('name every wrong variable at once', () => {
    const parse = () => parseSettings(schema, { LIMIT: '0', EAGER: 'perhaps' });
    expect(parse).toThrow(/^wrong settings: /);
    for (const name of ['ADDRESS', 'LIMIT', 'EAGER']) expect(parse).toThrow(new RegExp(`${name}: `));
  });

  it.each(['0', '101', '1.5', 'ten', '1e9', '-3'])('refuse %j as a whole number from 1 to 100', (text) => {
    expect(() => parseSettings(schema, { ADDRESS: 'here', LIMIT: text })).toThrow(/LIMIT/);
  });

  it.each([
    ['true', true],
    ['1', true],
    ['on', true],
    ['YES', true],
    ['false', false],
    ['0', false],
    ['off', false],
    ['no', false],
  ])('take %j as a switch that is %j', (text, value) => {
    expect(parseSettings(schema, { ADDRESS: 'here', EAGER: text }).EAGER).toBe(value);
  });
});
