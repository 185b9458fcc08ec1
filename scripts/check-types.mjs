/**
 * Type-checks every tsconfig of the repository, and fails when a TypeScript file belongs to none of them: a file that
 * nobody checks is a file that anything may be wrong in.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { projectFiles } from './project-files.mjs';

const files = projectFiles();
const sources = files.filter((path) => path.endsWith('.ts'));
const belongsTo = (config) => (path) => dirname(config) === '.' || path.startsWith(`${dirname(config)}/`);
const configs = files.filter((path) => /(^|\/)tsconfig\.json$/.test(path) && sources.some(belongsTo(path)));

const compiler = join('node_modules', '.bin', 'tsc');
const covered = new Set();
let failed = false;
for (const config of configs) {
  const run = spawnSync(compiler, ['-p', config, '--noEmit', '--pretty', 'false', '--listFiles'], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const lines = run.stdout.split('\n');
  for (const line of lines) covered.add(resolve(line));
  if (run.status === 0) continue;
  failed = true;
  const diagnostics = lines.filter(
    (line) => line !== '' && !line.startsWith(process.cwd()) && !line.includes('/node_modules/'),
  );
  console.error(`${config}:\n${[...diagnostics, run.stderr].join('\n')}`);
}
for (const path of sources.filter((source) => !covered.has(resolve(source)))) {
  failed = true;
  console.error(`${path} belongs to no tsconfig.json: include it in one`);
}
process.exitCode = failed ? 1 : 0;
