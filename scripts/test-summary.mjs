const NEEDS = /\(without ([a-z-]+(?:, [a-z-]+)*)\)/;

/**
 * What is said at the end of a run of one or several passes: a line for each part that was missing, however many tests
 * and passes did without it, one for each test left out otherwise, then how many passed and failed. With HUB_REQUIRE
 * set, a test that was left out and a required part that is missing count as failures.
 * @param passes each `{ missing: { part: reason }, leftOut: [full name], passed, failed }`
 * @param required parts that must be there
 */
export function concludePasses(passes, required) {
  const missing = Object.entries(Object.assign({}, ...passes.map((pass) => pass.missing)));
  const leftOut = passes.flatMap((pass) => pass.leftOut);
  const partsOf = (name) => NEEDS.exec(name)?.[1].split(', ') ?? [];
  const lines = missing.map(([part, reason]) => {
    const count = leftOut.filter((name) => partsOf(name).includes(part)).length;
    const without = count > 0 ? `${count} left out, ` : '';
    return `${without}could not run with ${part}: ${reason.replaceAll(/\s*\n\s*/g, ' ')}`;
  });
  const otherwise = leftOut.filter(
    (name) => !partsOf(name).some((part) => missing.some(([at]) => at === part)),
  );
  lines.push(...otherwise.map((name) => `left out: ${name}`));
  const unmet = missing.filter(([part]) => part === 'build' || required.includes(part)).length;
  const sum = (figure) => passes.reduce((total, pass) => total + pass[figure], 0);
  const failed = sum('failed') + unmet + (required.length > 0 ? leftOut.length : 0);
  lines.push(`${sum('passed')} passed, ${failed} failed`);
  return { lines, failed };
}

/** The parts that HUB_REQUIRE names. */
export function requiredParts(environment) {
  return (environment.HUB_REQUIRE ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}
