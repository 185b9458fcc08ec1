/**
 * Runs every test in three passes: first all specs that can share the machine with anything, two at a time; then those
 * that wait for real parts, two at a time among themselves; then those that hold whole hubs to times, one after the
 * other, so that none is slowed down by another. Ends with the sum as `N passed, N failed`. With arguments it is jest
 * itself: `npm test -- api/auth`.
 */
import { spawn } from 'node:child_process';

const given = process.argv.slice(2);
const folders = (...names) => names.map((name) => `${process.cwd()}/${name}/`);
const parts = folders(
  'test/local',
  'test/api',
  'test/hosts',
  'test/kubernetes',
  'test/work-requests',
  'chemistry',
  'local',
);
const hubs = folders('test/e2e');
const neverTests = ['/node_modules/', '/dist/', '/.hub/'];
const leaveOut = (patterns) => patterns.flatMap((pattern) => ['--testPathIgnorePatterns', pattern]);
const passes =
  given.length > 0
    ? [given]
    : [leaveOut([...parts, ...hubs, ...neverTests]), parts, ['--runInBand', ...hubs]];

/** Runs jest once; it builds first unless a pass before it did. @returns its exit code and its closing figures */
function runJest(args, isBuilt) {
  return new Promise((resolve, reject) => {
    let tail = '';
    const jest = spawn(
      process.execPath,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        'node_modules/jest/bin/jest.js',
        ...args,
      ],
      { stdio: ['inherit', 'pipe', 'inherit'], env: { ...process.env, HUB_TEST_IS_BUILT: isBuilt } },
    );
    jest.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      tail = (tail + String(chunk)).slice(-4000);
    });
    jest.once('error', reject);
    jest.once('close', (code) => {
      const tally = /(\d+) passed, (\d+) failed\s*$/.exec(tail);
      resolve({ code: code ?? 1, passed: Number(tally?.[1] ?? 0), failed: Number(tally?.[2] ?? 1) });
    });
  });
}

const results = [];
for (const args of passes) results.push(await runJest(args, results.length > 0 ? 'yes' : ''));
if (results.length > 1) {
  const sum = (figure) => results.reduce((total, result) => total + result[figure], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
}
process.exitCode = results.find(({ code }) => code !== 0)?.code ?? 0;
