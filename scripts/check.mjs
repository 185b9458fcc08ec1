/**
 * Everything that can be said of the code without running the hub. One line per step; a step that fails prints what it
 * found. `--only NAME` runs the steps whose name holds NAME.
 */
import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { join } from 'node:path';

const tool = (name) => join('node_modules', '.bin', name);
const script = (name, ...rest) => [process.execPath, join('scripts', name), ...rest];

/** In the order in which they are printed. */
const steps = [
  { name: 'formatting', command: [tool('prettier'), '--check', '--log-level', 'warn', '.'] },
  {
    name: 'lint',
    command: [tool('oxlint'), '--type-aware', '--deny-warnings', '--report-unused-disable-directives'],
  },
  { name: 'types of every tsconfig', command: script('check-types.mjs') },
  { name: 'import arrows', command: script('check-arrows.mjs') },
  { name: 'file names, sizes and forbidden text', command: script('check-files.mjs') },
  { name: 'dead code', command: [tool('knip'), '--no-progress', '--no-config-hints'] },
  { name: 'generated files up to date', command: script('generate.mjs', '--check') },
  // Only a database knows what all migrations together make of it.
  {
    name: 'migrations make what the entities say',
    command: script('test.mjs', 'db/schema-drift.spec.ts'),
    environment: { HUB_REQUIRE: 'postgres' },
  },
];

/** Runs one step and keeps its output for the end. */
function run({ name, command: [program, ...args], environment = {} }) {
  const began = performance.now();
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) =>
      chunks.push(Buffer.from(`${program} did not start: ${error.message}; run npm ci\n`)),
    );
    child.on('close', (code) =>
      resolve({
        name,
        ok: code === 0,
        seconds: (performance.now() - began) / 1000,
        // Some tools colour what they print wherever CI is set, whoever reads it.
        output: stripVTControlCharacters(Buffer.concat(chunks).toString()),
      }),
    );
  });
}

/** Works off the steps two at a time and hands their results over in the order of the list. */
async function* runInOrder(chosen) {
  const outcomes = chosen.map(() => Promise.withResolvers());
  const queue = chosen.entries();
  const lane = async () => {
    for (const [index, step] of queue) outcomes[index].resolve(await run(step));
  };
  const lanes = Promise.all([lane(), lane()]);
  for (const { promise } of outcomes) yield await promise;
  await lanes;
}

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
const chosen = steps.filter(({ name }) => name.includes(only));
if (chosen.length === 0)
  throw new Error(`no step is named like "${only}"; there are: ${steps.map(({ name }) => name).join(', ')}`);
let failed = 0;
for await (const { name, ok, seconds, output } of runInOrder(chosen)) {
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${seconds.toFixed(1).padStart(5)} s  ${name}`);
  if (ok) continue;
  failed += 1;
  console.log(output.trimEnd());
}
process.exitCode = failed > 0 ? 1 : 0;
