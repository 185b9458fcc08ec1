import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InstanceRefusedError } from '../model-host.js';
import { ModelCommands } from './model-commands.js';

describe('the start commands of local models', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hub-commands-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, content: unknown) => {
    const path = join(folder, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };

  it('run with the Node of the hub, and see relative paths from their file', () => {
    const path = write('models.json', {
      plain: { command: ['node', './serve.js', '../data/x', 'a/b'], env: { MOOD: 'calm' } },
      program: { command: ['./bin/serve'] },
    });
    const commands = new ModelCommands(path);
    expect(commands.get('plain')).toEqual({
      command: [process.execPath, join(folder, 'serve.js'), join(folder, '../data/x'), 'a/b'],
      env: { MOOD: 'calm' },
    });
    expect(commands.get('program').command).toEqual([join(folder, 'bin/serve')]);
  });

  it('come from files and from folders of them; the later one wins', () => {
    const first = write('first.json', { one: { command: ['first'] }, two: { command: ['first'] } });
    mkdirSync(join(folder, 'more'));
    write('more/a.json', { two: { command: ['a'] }, three: { command: ['a'] } });
    write('more/b.json', { three: { command: ['b'] } });
    write('more/notes.txt', 'not read');
    const commands = new ModelCommands(`${first}:${join(folder, 'more')}`);
    const programs = ['one', 'two', 'three'].map((id) => commands.get(id).command[0]);
    expect(programs).toEqual(['first', 'a', 'b']);
  });

  it('are read again when the file changed', () => {
    const path = write('models.json', { old: { command: ['old'] } });
    const commands = new ModelCommands(path);
    expect(() => commands.get('later')).toThrow(InstanceRefusedError);
    write('models.json', { later: { command: ['later'] } });
    expect(commands.get('later').command).toEqual(['later']);
    expect(() => commands.get('old')).toThrow(InstanceRefusedError);
  });

  it.each([
    ['not JSON', '{ "broken": '],
    ['an empty command', { broken: { command: [] } }],
    ['a command that is one text', { broken: { command: 'node serve.js' } }],
  ])('of a file with %s are unknown and the refusal says so; other files are served', (_what, content) => {
    const good = write('good.json', { good: { command: ['good'] } });
    const broken = write('broken.json', content);
    const commands = new ModelCommands(`${good}:${broken}:${join(folder, 'absent.json')}`);
    expect(commands.get('good').command).toEqual(['good']);
    expect(() => commands.get('broken')).toThrow(`${broken} (`);
    expect(() => commands.get('broken')).toThrow('absent.json (ENOENT');
    const faults = commands.faults().toSorted();
    expect(faults).toHaveLength(2);
    expect(faults[0]).toContain('absent.json (ENOENT');
    expect(faults[1]).toContain(`${broken} (`);
  });

  it('are asked for in a file of the user, never in one that comes with the hub', () => {
    const commands = new ModelCommands(write('models.json', {}));
    expect(commands.faults()).toEqual([]);
    expect(() => commands.get('mine')).toThrow(
      /write "mine": .* into a JSON file of your own and name that file in HUB_LOCAL_MODELS \(looked in .*models\.json\)\.$/,
    );
  });

  it('do not know names that every object has', () => {
    const commands = new ModelCommands(write('models.json', {}));
    expect(() => commands.get('constructor')).toThrow(InstanceRefusedError);
  });
});
