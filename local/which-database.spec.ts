import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStackRecord, writeStackRecord } from './stack-record.js';
import { whichDatabase } from './which-database.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hub-which-database-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** The record of a hub whose Postgres is this process. */
function recordHub(postgresPid: number): void {
  const record = { ...readStackRecord(directory), postgresPassword: 'secret', ports: { postgres: 5001 } };
  writeStackRecord(directory, { ...record, processes: { postgres: postgresPid } });
}
const own = 'postgresql://hub:secret@127.0.0.1:5001/hub';
const elsewhere = 'postgresql://me:hidden@db.example.org:5432/models';

describe('the database that a command is meant for', () => {
  it("is the running hub's own", () => {
    recordHub(process.pid);
    expect(whichDatabase(directory, undefined)).toBe(own);
    expect(whichDatabase(directory, '')).toBe(own);
    expect(whichDatabase(directory, own)).toBe(own);
  });

  it('is the named one where no hub runs, also when one was killed', () => {
    expect(whichDatabase(directory, elsewhere)).toBe(elsewhere);
    recordHub(2 ** 22 + 1);
    expect(whichDatabase(directory, elsewhere)).toBe(elsewhere);
  });

  it('is asked for when there are two, without giving a password away', () => {
    recordHub(process.pid);
    const ask = () => whichDatabase(directory, elsewhere);
    expect(ask).toThrow('DATABASE_URL names db.example.org:5432/models');
    expect(ask).toThrow(`the hub that runs on ${directory} has its own at 127.0.0.1:5001/hub`);
    expect(ask).not.toThrow(/secret|hidden/);
  });

  it('is asked for when there is none', () => {
    expect(() => whichDatabase(directory, undefined)).toThrow(`no hub runs on ${directory}: start it`);
  });
});
