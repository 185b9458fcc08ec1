/**
 * `.ci/run` decides whether a change may enter, so its own decisions are tested: npm is replaced by a script that ends
 * as told, everything else is the real thing. What npm would have run is tested everywhere else.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const npm = `#!/bin/sh
echo "npm $* with HUB_REQUIRE=$HUB_REQUIRE"
case "$1 $2" in
  'ci ') exit "$INSTALL" ;;
  'run check') exit "$CHECK" ;;
  'test ') echo "$TALLY"; [ "$TEST" = 0 ] || echo 'npm error Test failed.' >&2; exit "$TEST" ;;
esac
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hub-ci-'));
  cpSync('.ci', join(folder, '.ci'), { recursive: true });
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/npm'), npm);
  chmodSync(join(folder, 'bin/npm'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function runCi(outcome: Readonly<Record<string, string>> = {}) {
  const { HUB_REQUIRE: _, ...environment } = process.env;
  const env = {
    ...environment,
    INSTALL: '0',
    CHECK: '0',
    TEST: '0',
    TALLY: '7 passed, 0 failed',
    ...outcome,
    PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
  };
  const { status, stdout, stderr } = spawnSync('bash', [join(folder, '.ci/run')], {
    cwd: tmpdir(),
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

describe('.ci/run', () => {
  it('installs, checks and tests with every part required, and closes with the tally', () => {
    const { status, stdout, lastLine } = runCi();
    const required = 'with HUB_REQUIRE=postgres,temporal,time-skipping,browser,kubernetes';
    expect(status).toBe(0);
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      `npm ci ${required}`,
      `npm run check ${required}`,
      `npm test ${required}`,
    ]);
    expect(lastLine).toBe('7 passed, 0 failed');
  });

  it('fails with a failed test, and still closes with the tally', () => {
    const { status, lastLine } = runCi({ TEST: '1', TALLY: '6 passed, 1 failed' });
    expect(status).toBe(1);
    expect(lastLine).toBe('6 passed, 1 failed');
  });

  it.each(['INSTALL', 'CHECK'])('stops where a step before the tests fails: %s', (step) => {
    const { status, stdout } = runCi({ [step]: '1' });
    expect(status).toBe(1);
    expect(stdout).not.toContain('npm test');
  });

  it('fails when the tests end well but without a tally', () => {
    const { status, stderr } = runCi({ TALLY: 'nothing' });
    expect(status).toBe(1);
    expect(stderr).toContain('ended without its tally');
  });
});
