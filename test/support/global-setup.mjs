import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a part of the run needs, tried; the reason when it can't be had. */
async function attempt(prepare) {
  try {
    return { value: await prepare() };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

function build() {
  if (process.env.HUB_TEST_IS_BUILT) return;
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
  if (status !== 0)
    throw new Error('scripts/build.mjs failed; specs that start programs run what was built before');
}

async function startPostgres() {
  const { startTestPostgres } = await import('../../dist/test/support/test-postgres.js');
  const postgres = await startTestPostgres();
  globalThis.hubTestPostgres = postgres;
  process.env.HUB_TEST_POSTGRES = postgres.adminUrl;
}

async function getProgram(name, variable) {
  const { outsideParts } = await import('../../dist/local/tools/parts.js');
  const { getOutsidePart } = await import('../../dist/local/tools/get-outside-part.js');
  process.env[variable] = await getOutsidePart(outsideParts[name], process.env, (line) => console.log(line));
}

async function findBrowser() {
  const given = process.env.CHROMIUM_PATH;
  if (given && !existsSync(given)) throw new Error(`CHROMIUM_PATH names ${given}, but no such file exists`);
  if (given) return;
  const { default: chromium } = await import('@sparticuz/chromium');
  process.env.HUB_TEST_CHROMIUM = await chromium.executablePath();
}

/**
 * The programs only: each spec file that needs a control plane starts its own. Making them takes minutes the first time,
 * so it is done when a spec of this run needs them.
 */
async function getControlPlane(globalConfig, { testPathIgnorePatterns }) {
  const { isPartChosen } = await import('../../dist/test/support/chosen-specs.js');
  if (!isPartChosen('kubernetes', { ...globalConfig, testPathIgnorePatterns })) return;
  const { getControlPlaneParts } = await import('../../dist/test/kubernetes/control-plane/build-parts.js');
  await getControlPlaneParts(process.env, (line) => console.log(line));
}

/** Builds, starts what all specs share and finds what some need; says in HUB_TEST_MISSING what can't be had. */
export default async function setUp(globalConfig, projectConfig) {
  const outcomes = {
    build: await attempt(build),
    postgres: await attempt(startPostgres),
    temporal: await attempt(() => getProgram('temporal', 'HUB_TEST_TEMPORAL')),
    'time-skipping': await attempt(() => getProgram('timeSkippingServer', 'HUB_TEST_TIME_SKIPPING')),
    browser: await attempt(findBrowser),
    kubernetes: await attempt(() => getControlPlane(globalConfig, projectConfig)),
  };
  const required = (process.env.HUB_REQUIRE ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  for (const part of required) outcomes[part] ??= { missing: 'this version of the hub has no tests with it' };
  const missing = Object.entries(outcomes).filter(([, outcome]) => outcome.missing !== undefined);
  process.env.HUB_TEST_MISSING = JSON.stringify(
    Object.fromEntries(missing.map(([part, outcome]) => [part, outcome.missing])),
  );
}
