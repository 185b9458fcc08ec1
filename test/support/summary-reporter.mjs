import { writeSync } from 'node:fs';

/**
 * Says at the end of a run what could not be run, and how many tests passed and failed, as the very last line. With
 * HUB_REQUIRE set, a test that was left out and a required part that is missing count as failures.
 */
export default class SummaryReporter {
  #failure;

  onRunComplete(_contexts, results) {
    const missing = Object.entries(JSON.parse(process.env.HUB_TEST_MISSING ?? '{}'));
    const required = (process.env.HUB_REQUIRE ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean);
    const lines = missing.map(([part, reason]) => `could not run with ${part}: ${reason}`);
    const leftOut = leftOutTests(results);
    lines.push(...leftOut.map((name) => `left out: ${name}`));
    const unmet = missing.filter(([part]) => part === 'build' || required.includes(part)).length;
    const failed =
      results.numFailedTests +
      results.numRuntimeErrorTestSuites +
      unmet +
      (required.length > 0 ? leftOut.length : 0);
    if (failed > 0) this.#failure = new Error(`${failed} failed`);
    lines.push(`${results.numPassedTests} passed, ${failed} failed`);
    // Jest's own reporters write late and on another stream: at exit nothing can come after.
    process.on('exit', () => writeSync(process.stdout.fd, `${lines.join('\n')}\n`));
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
