/**
 * Builds everything into dist/: server code (tsc), the workflow bundle, the elements and the page (vite).
 * Does nothing when no source is newer than the last build, so that `npm start` stays quick. `--force` builds anyway.
 * One build at a time; files are replaced in place, so that a hub or test run which uses dist/ meanwhile goes on.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

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
/** Tests build too, and name their own environment; the page they leave behind is served by the next start. */
const buildEnvironment = { ...process.env, NODE_ENV: 'production' };
const stamp = 'dist/.built';
const lock = 'dist/.building';

/** Newest modification time below a path, in ms; the folder's own time notices deleted files. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path)
    .filter((name) => name !== 'node_modules' && name !== 'dist')
    .reduce((latest, name) => Math.max(latest, newest(join(path, name))), stat.mtimeMs);
}

/** Removes compiled files whose source is gone: an old migration or spec must not run again. */
function prune(folder) {
  const compiled = join('dist', folder);
  if (!existsSync(compiled)) return;
  for (const path of readdirSync(compiled, { recursive: true })) {
    const source = join(folder, path).match(/^(.*)\.js(\.map)?$/)?.[1];
    if (source && !existsSync(`${source}.ts`)) rmSync(join(compiled, path), { force: true });
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Waits while another build runs; a lock whose process is gone is taken over. */
async function takeLock() {
  mkdirSync('dist', { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
    // An empty lock is being written this moment.
    if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
    await sleep(50);
  }
}

const run = (command, ...args) => execFileSync(command, args, { stdio: 'inherit', env: buildEnvironment });
const tool = (name) => join('node_modules/.bin', name);

function buildServer(fromScratch) {
  if (fromScratch) rmSync('dist/.tsbuildinfo', { force: true });
  for (const folder of folders) prune(folder);
  run(tool('tsc'), '-p', 'tsconfig.build.json');
  const bundler = 'dist/temporal/bundle-workflows.main.js';
  if (existsSync(bundler)) run(process.execPath, bundler);
}

function build() {
  const startedAt = new Date();
  const builtAt = existsSync(stamp) && !process.argv.includes('--force') ? statSync(stamp).mtimeMs : 0;
  const isStale = (...paths) => paths.some((path) => newest(path) > builtAt);
  const serverIsStale = isStale(
    ...folders,
    'tsconfig.base.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
  );
  const pageIsStale = isStale('web-components', 'package-lock.json');
  if (serverIsStale) buildServer(builtAt === 0);
  if (pageIsStale && existsSync('web-components/vite.config.ts'))
    run(tool('vite'), 'build', '--config', 'web-components/vite.config.ts', '--logLevel', 'warn');
  if (!serverIsStale && !pageIsStale) return;
  writeFileSync(stamp, startedAt.toISOString());
  // A source saved while the build ran is newer than this and is built the next time.
  utimesSync(stamp, startedAt, startedAt);
}

await takeLock();
try {
  build();
} catch (error) {
  console.error(`the build failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(lock, { force: true });
}
