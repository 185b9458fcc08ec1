/**
 * Runs every test in four passes: first all specs that can share the machine with anything, two at a time; then those
 * that wait for real parts, two at a time among themselves; then whole hubs that are held to answers, or to times that
 * a busy machine keeps as well, two at a time; then whole hubs that are held to seconds, one after the other, so that
 * none is slowed down by another. Ends with what could not be run, a line for each missing part, and the sum as
 * `N passed, N failed`. With arguments it is jest itself: `npm test -- api/auth`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concludePasses, requiredParts } from './test-summary.mjs';

const given = process.argv.slice(2);
const folders = (...names) => names.map((name) => `${process.cwd()}/${name}/`);
const parts = folders(
  'test/api',
  'test/hosts',
  'test/kubernetes',
  'test/work-requests',
  'chemistry',
  'local',
);
const heldToAnswers = ['/test/e2e/(page|kubernetes-cluster|main-(1|2|4|5|6|7|10|11|12))\\.spec\\.ts$'];
const heldToSeconds = folders('test/e2e', 'test/local');
const neverTests = ['/node_modules/', '/dist/', '/.hub/'];
const leaveOut = (patterns) => patterns.flatMap((pattern) => ['--testPathIgnorePatterns', pattern]);
const passes =
  given.length > 0
    ? [given]
    : [
        leaveOut([...parts, ...heldToSeconds, ...neverTests]),
        parts,
        heldToAnswers,
        ['--runInBand', ...heldToSeconds, ...leaveOut([...heldToAnswers, ...neverTests])],
      ];

/**
 * Runs jest once; it builds first unless a pass before it did.
 * @returns its exit code and its summary; one that broke off without it counts as a failure
 */
async function runJest(args, isBuilt) {
  const folder = mkdtempSync(join(tmpdir(), 'hub-test-'));
  const file = join(folder, 'summary.json');
  try {
    const jest = spawn(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        'node_modules/jest/bin/jest.js',
        ...args,
      ],
      { stdio: 'inherit', env: { ...process.env, HUB_TEST_IS_BUILT: isBuilt, HUB_TEST_SUMMARY: file } },
    );
    const [code] = await once(jest, 'close');
    const none = { missing: {}, leftOut: [], passed: 0, failed: code === 0 ? 0 : 1 };
    return { code: code ?? 1, ...(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : none) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const results = [];
for (const args of passes) results.push(await runJest(args, results.length > 0 ? 'yes' : ''));
const { lines } = concludePasses(results, requiredParts(process.env));
// Asked for a list of the specs, say, jest runs none.
if (results.some(({ passed, failed, leftOut }) => passed + failed + leftOut.length > 0))
  console.log(lines.join('\n'));
process.exitCode = results.find(({ code }) => code !== 0)?.code ?? 0;
