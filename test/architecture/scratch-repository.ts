import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Everything the checks read besides source files. */
const rulebook = [
  'scripts',
  'package.json',
  'knip.json',
  'jest.config.mjs',
  'nest-cli.json',
  '.oxlintrc.json',
  '.dependency-cruiser.cjs',
  '.gitignore',
  '.prettierrc.json',
  '.prettierignore',
  'tsconfig.base.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'domain/tsconfig.json',
  'workflows/tsconfig.json',
  'web-components/tsconfig.json',
];

/** A repository with this one's rules and none of its source: what is planted in it is all that is judged. */
export interface ScratchRepository {
  readonly folder: string;
  /** Runs one step of `npm run check`, chosen by its name; says whether it passed and what it printed. */
  check(step: string): { readonly passed: boolean; readonly output: string };
  remove(): void;
}

/** Makes the repository in a temporary folder and plants the files (path to text) in it. */
export function plantRepository(files: Readonly<Record<string, string>>): ScratchRepository {
  const folder = mkdtempSync(join(tmpdir(), 'hub-rules-'));
  for (const path of rulebook) cpSync(path, join(folder, path), { recursive: true });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  spawnSync('git', ['init', '--quiet', folder]);
  return {
    folder,
    check: (step) => {
      const run = spawnSync(process.execPath, ['scripts/check.mjs', '--only', step], {
        cwd: folder,
        encoding: 'utf8',
      });
      return { passed: run.status === 0, output: `${run.stdout}${run.stderr}` };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
