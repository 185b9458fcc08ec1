import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStackRecord, writeStackRecord } from './stack-record.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hub-record-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the record of a data directory', () => {
  it('of an empty directory has a password of its own', () => {
    const [first, second] = [readStackRecord(directory), readStackRecord(directory)];
    expect(first.postgresPassword).toHaveLength(36);
    expect(first.postgresPassword).not.toBe(second.postgresPassword);
  });

  it('is read as it was written, by its owner only', () => {
    const record = { ...readStackRecord(directory), ports: { temporal: 7233 }, processes: { api: 42 } };
    writeStackRecord(directory, record);
    expect(readStackRecord(directory)).toEqual(record);
    expect(statSync(join(directory, 'stack.json')).mode & 0o777).toBe(0o600);
  });

  it('of another version of the hub is refused', () => {
    writeFileSync(join(directory, 'stack.json'), JSON.stringify({ layout: 99 }));
    expect(() => readStackRecord(directory)).toThrow('belongs to another version of the hub (layout 99');
  });

  it.each(['', '{', '{"layout": 1}', 'null'])('that is damaged (%j) is refused', (text) => {
    writeFileSync(join(directory, 'stack.json'), text);
    expect(() => readStackRecord(directory)).toThrow('is damaged');
  });

  it('that was lost beside a database is refused', () => {
    mkdirSync(join(directory, 'postgres'));
    expect(() => readStackRecord(directory)).toThrow('stack.json is missing, and with it the password');
  });
});
