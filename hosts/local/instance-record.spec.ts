import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InstanceFolders, newInstanceRecord } from './instance-record.js';

const spec = {
  instanceId: 'one',
  modelId: 'eos-test',
  image: '',
  templateVersion: '',
  cpuRequestMillicores: 1,
  cpuLimitMillicores: 1,
  memoryRequestBytes: 1,
  memoryLimitBytes: null,
  labels: {},
  annotations: {},
};

describe('what the local host keeps of an instance', () => {
  let root: string;
  let warnings: string[];
  let folders: InstanceFolders;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hub-records-'));
    warnings = [];
    folders = new InstanceFolders(root, (text) => warnings.push(text));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('is there for the next host, with every event under the id that it was told with', () => {
    const record = newInstanceRecord(spec, 'uid-1', '2026-01-01T00:00:00.000Z');
    folders.save(record);
    const told = [1, 2].map((count) => folders.addEvent('uid-1', 'Normal', 'Said', `${count}`));
    const next = new InstanceFolders(root, () => undefined);
    expect(next.load()).toEqual([record]);
    expect(next.addEvent('uid-1', 'Normal', 'Said', '3')?.id).toBe('uid-1-2');
    expect(next.readEvents('uid-1').slice(0, 2)).toEqual(told);
    expect(warnings).toEqual([]);
  });

  it('is readable also where half an event was written before the disk was full', () => {
    const first = folders.addEvent('uid-1', 'Normal', 'Said', 'first');
    appendFileSync(join(root, 'uid-1', 'events.ndjson'), '{"at":"2026-\n');
    const next = new InstanceFolders(root, () => undefined);
    const last = next.addEvent('uid-1', 'Normal', 'Said', 'last');
    expect(next.readEvents('uid-1')).toEqual([first, last]);
  });

  it('is lost, and said to be, where the disk takes no more: the host goes on', () => {
    // Nothing can be written below a file.
    writeFileSync(join(root, 'uid-1'), '');
    folders.save(newInstanceRecord(spec, 'uid-1', '2026-01-01T00:00:00.000Z'));
    expect(folders.addEvent('uid-1', 'Normal', 'Said', 'something')).toBeNull();
    expect(warnings).toEqual([
      expect.stringMatching(/^the record of the instance in .*uid-1 could not be kept: Error: E/),
      expect.stringMatching(/^an event of the instance in .*uid-1 could not be kept: Error: E/),
    ]);
  });
});
