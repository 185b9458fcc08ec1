import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { unprivilegedUser, userSwitch } from './system-user.js';

describe('the user that Postgres runs as', () => {
  if (process.getuid?.() !== 0) {
    it('is the user of the hub, who is not root', () => {
      expect(unprivilegedUser(['postgres', 'nobody'], '/bin/sh', '/')).toBeUndefined();
    });
    return;
  }
  let closed: string;
  let program: string;
  beforeAll(() => {
    closed = mkdtempSync(join(tmpdir(), 'hub-closed-'));
    chmodSync(closed, 0o700);
    program = join(closed, 'program');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  });
  afterAll(() => rmSync(closed, { recursive: true, force: true }));

  /** Runs a piece of JavaScript as the user who can reach the closed folder. */
  const runAsUser = (script: string) => {
    const user = unprivilegedUser(['postgres', 'nobody'], program, closed)!;
    const words = [...userSwitch(user, user.capability!), process.execPath, '-p', script, program];
    return spawnSync('setpriv', words, { cwd: '/', encoding: 'utf8' });
  };

  it('passes closed folders also when a program asks whether it may', () => {
    const ran = runAsUser(`fs.accessSync(process.argv[1], fs.constants.X_OK) ?? 'may run it'`);
    expect(ran).toMatchObject({ stdout: 'may run it\n', stderr: '' });
  });

  it('keeps that one capability and no other', () => {
    const { stdout } = runAsUser(`/CapEff:\\s+(\\w+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]`);
    const dacReadSearch = 1n << 2n;
    expect(BigInt(`0x${stdout.trim()}`)).toBe(dacReadSearch);
  });
});
