import { describe } from '@jest/globals';

/** What a spec may need beyond node and the registry's packages. */
export type TestPart = 'postgres' | 'temporal' | 'time-skipping' | 'browser' | 'kubernetes';

/**
 * Is the part there? When it is not and HUB_REQUIRE (names with commas) does not ask for it, says so in one line, and
 * the run's summary says it again.
 * @throws Error when HUB_REQUIRE asks for a part that is missing.
 */
export function requirePart(part: TestPart): boolean {
  const reason = missingParts()[part];
  if (reason === undefined) return true;
  const required = (process.env.HUB_REQUIRE ?? '').split(',').map((name) => name.trim());
  if (required.includes(part)) throw new Error(`HUB_REQUIRE asks for ${part}, but it is missing: ${reason}`);
  process.stderr.write(`left out, ${part} is missing: ${reason}\n`);
  return false;
}

/**
 * `describe` when every part is there, else one whose tests are left out; its title names the missing parts, by which
 * the run's summary counts them.
 */
export function describeWith(...parts: readonly TestPart[]): (title: string, tests: () => void) => void {
  const missing = parts.filter((part) => !requirePart(part));
  if (missing.length === 0) return describe;
  const { skip } = describe;
  return (title, tests) => skip(`${title} (without ${missing.join(', ')})`, tests);
}

function missingParts(): Partial<Record<TestPart, string>> {
  return JSON.parse(process.env.HUB_TEST_MISSING ?? '{}') as Partial<Record<TestPart, string>>;
}
