import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestPart } from './require-part.js';

/** As much of what jest knows of a run as says which specs it runs. */
export interface ChosenSpecs {
  readonly rootDir: string;
  readonly testPathPatterns: {
    toExecutor(of: { readonly rootDir: string }): { isMatch(path: string): boolean };
  };
  readonly testPathIgnorePatterns: readonly string[];
}

const otherFolders = new Set(['node_modules', 'dist', '.hub']);

/** Does a spec of this run say with `describeWith` that it needs the part? */
export function isPartChosen(
  part: TestPart,
  { rootDir, testPathPatterns, testPathIgnorePatterns }: ChosenSpecs,
): boolean {
  const chosen = testPathPatterns.toExecutor({ rootDir });
  const leftOut = testPathIgnorePatterns.map((pattern) => new RegExp(pattern));
  const names = new RegExp(`describeWith\\([^)]*'${part}'`);
  return globSync('**/*.spec.ts', { cwd: rootDir, exclude: (name) => otherFolders.has(name) })
    .map((path) => join(rootDir, path))
    .filter((path) => chosen.isMatch(path) && !leftOut.some((pattern) => pattern.test(path)))
    .some((path) => names.test(readFileSync(path, 'utf8')));
}
