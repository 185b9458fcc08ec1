/**
 * Builds everything into dist/: server code (tsc), the workflow bundle, the elements and the page (vite).
 * Does nothing when no source is newer than the last build, so that `npm start` stays quick. `--force` builds anyway.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folders = [
  'domain',
  'chemistry',
  'db',
  'migrations',
  'hosts',
  'workflows',
  'activities',
  'temporal',
  'api',
  'local',
  'test',
  'bench',
  'prove',
];
const stamp = 'dist/.built';

/** Newest modification time below a path, in ms; the folder's own time notices deleted files. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path)
    .filter((name) => name !== 'node_modules' && name !== 'dist')
    .reduce((latest, name) => Math.max(latest, newest(join(path, name))), stat.mtimeMs);
}

const builtAt = existsSync(stamp) && !process.argv.includes('--force') ? statSync(stamp).mtimeMs : 0;
const serverChanged = [
  ...folders,
  'tsconfig.base.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'package-lock.json',
].some((path) => newest(path) > builtAt);
const pageChanged = ['web-components', 'package-lock.json'].some((path) => newest(path) > builtAt);
const run = (command, ...args) =>
  execFileSync(join('node_modules/.bin', command), args, { stdio: 'inherit' });

if (serverChanged) {
  for (const folder of [...folders, '.tsbuildinfo'])
    rmSync(join('dist', folder), { recursive: true, force: true });
  run('tsc', '-p', 'tsconfig.build.json');
  if (existsSync('dist/temporal/bundle-workflows.main.js'))
    execFileSync(process.execPath, ['dist/temporal/bundle-workflows.main.js'], { stdio: 'inherit' });
}
if (pageChanged && existsSync('web-components/vite.config.ts'))
  run('vite', 'build', '--config', 'web-components/vite.config.ts', '--logLevel', 'warn');
if (serverChanged || pageChanged) {
  mkdirSync('dist', { recursive: true });
  writeFileSync(stamp, new Date().toISOString());
}
