/** Runs dependency-cruiser (`.dependency-cruiser.cjs`) over the source folders that exist. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectFiles } from './project-files.mjs';

const folders = [
  ...new Set(
    projectFiles()
      .filter((path) => path.includes('/') && /\.(ts|mjs)$/.test(path))
      .map((path) => path.split('/')[0]),
  ),
];
const run = spawnSync(
  join('node_modules', '.bin', 'depcruise'),
  ['--config', '.dependency-cruiser.cjs', ...folders],
  { stdio: 'inherit' },
);
process.exitCode = run.status ?? 1;
