/**
 * `npm test` must say what it could not run, in one line for each missing part however many passes it takes. Jest is
 * replaced by a script that leaves the summaries it is told to; everything else is the real thing.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const jest = `const { readFileSync, writeFileSync } = require('node:fs');
const [summary, ...rest] = JSON.parse(readFileSync('summaries.json', 'utf8'));
writeFileSync('summaries.json', JSON.stringify(rest));
if (summary === null) process.exit(3);
writeFileSync(process.env.HUB_TEST_SUMMARY, JSON.stringify(summary));
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hub-test-script-'));
  for (const file of ['scripts/test.mjs', 'scripts/test-summary.mjs'])
    cpSync(file, join(folder, file), { recursive: true });
  mkdirSync(join(folder, 'node_modules/jest/bin'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/jest/bin/jest.js'), jest);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pass = { missing: {}, leftOut: [] as string[], passed: 5, failed: 0 };

function runTests(summaries: readonly (typeof pass | null)[], require = '', args: readonly string[] = []) {
  writeFileSync(join(folder, 'summaries.json'), JSON.stringify(summaries));
  const { status, stdout } = spawnSync(process.execPath, ['scripts/test.mjs', ...args], {
    cwd: folder,
    env: { ...process.env, HUB_REQUIRE: require },
    encoding: 'utf8',
  });
  return { status, lines: stdout.trimEnd().split('\n') };
}

describe('npm test', () => {
  const missing = { kubernetes: 'go could not be had:\n  no network' };
  const without = (name: string) => `${name} (without kubernetes) does something`;

  it('sums up its passes, and says nothing else where nothing is missing', () => {
    expect(runTests([pass, pass, pass, pass])).toEqual({ status: 0, lines: ['20 passed, 0 failed'] });
  });

  it('says in one line at the end that a part is missing, and how many tests that left out', () => {
    const passes = [
      pass,
      { ...pass, missing, leftOut: [without('a host'), without('a life')] },
      { ...pass, missing, leftOut: [without('a cluster'), 'a rule that someone skipped'] },
      pass,
    ];
    expect(runTests(passes).lines).toEqual([
      '3 left out, could not run with kubernetes: go could not be had: no network',
      'left out: a rule that someone skipped',
      '20 passed, 0 failed',
    ]);
  });

  it('counts a required part that is missing and each test left out as failures', () => {
    const passes = [pass, { ...pass, missing, leftOut: [without('a host')], failed: 2 }, pass, pass];
    expect(runTests(passes, 'postgres, kubernetes').lines.at(-1)).toBe('20 passed, 4 failed');
  });

  it('fails when a pass breaks off, and goes on with the others', () => {
    expect(runTests([pass, null, pass, pass])).toEqual({ status: 3, lines: ['15 passed, 1 failed'] });
  });

  it('is jest itself with arguments', () => {
    expect(runTests([pass], '', ['api/auth']).lines).toEqual(['5 passed, 0 failed']);
  });
});
