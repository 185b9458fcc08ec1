import { writeFileSync, writeSync } from 'node:fs';
import { concludePasses, requiredParts } from '../../scripts/test-summary.mjs';

/**
 * Says at the end of a run what could not be run, and how many tests passed and failed, as the very last lines; or
 * leaves that in the file HUB_TEST_SUMMARY to who says it for several runs.
 */
export default class SummaryReporter {
  #failure;

  onRunComplete(_contexts, results) {
    const pass = {
      missing: JSON.parse(process.env.HUB_TEST_MISSING ?? '{}'),
      leftOut: leftOutTests(results),
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
    };
    const { lines, failed } = concludePasses([pass], requiredParts(process.env));
    if (failed > 0) this.#failure = new Error(`${failed} failed`);
    const file = process.env.HUB_TEST_SUMMARY;
    if (file) writeFileSync(file, JSON.stringify(pass));
    // Jest's own reporters write late and on another stream: at exit nothing can come after.
    else process.on('exit', () => writeSync(process.stdout.fd, `${lines.join('\n')}\n`));
  }

  getLastError() {
    return this.#failure;
  }
}

/** Tests that did not run although their file did; a name pattern on the command line leaves tests out on purpose. */
function leftOutTests(results) {
  if (process.argv.some((word) => /^(-t|--testNamePattern)/.test(word))) return [];
  return results.testResults.flatMap((file) =>
    file.testResults
      .filter((test) => ['pending', 'skipped', 'todo', 'disabled'].includes(test.status))
      .map((test) => test.fullName),
  );
}
